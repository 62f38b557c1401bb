// OutputFormat owns what `--format` may be for a list.

import ArgumentParser
import LaminaEngine

/// How a list is printed.
enum OutputFormat: ExpressibleByArgument, Sendable {
    /// Columns for people.
    case table
    /// Columns that a template names.
    case tableTemplate(String)
    /// One JSON object a line, as Docker does.
    case json
    case template(String)

    /// Nil for text without an action, which would print the same for all.
    init?(argument: String) {
        switch argument {
        case "table": self = .table
        case "json", "{{json .}}": self = .json
        case _ where !argument.contains("{{"): return nil
        case _ where argument.hasPrefix("table "): self = .tableTemplate(String(argument.dropFirst(6)))
        default: self = .template(argument)
        }
    }

    static let help: ArgumentHelp = ArgumentHelp(
        """
        table, json, a Go template such as '{{.ID}}: {{.Name}}', or 'table' and a template with columns \
        between \\t.
        """, valueName: "format")

    /// Whether nothing was asked for.
    var isPlainTable: Bool {
        if case .table = self { true } else { false }
    }
}

extension GoTemplate {
    /// A template of the command line; `usage` says what is wrong with it.
    static func parsed(_ text: String) throws(LaminaError) -> GoTemplate {
        do throws(TemplateError) {
            return try GoTemplate(text)
        } catch {
            throw LaminaError(.usage, "--format", "template parsing error: \(error.reason)")
        }
    }

    func filled(with value: FieldValue) throws(LaminaError) -> String {
        do throws(TemplateError) {
            return try text(for: value)
        } catch {
            throw LaminaError(.usage, "--format", error.reason)
        }
    }
}
