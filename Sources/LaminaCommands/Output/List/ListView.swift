// ListView owns the fields that a list has for templates and JSON, and which of them are its table.

import LaminaEngine

/// The fields of one kind of list.
struct ListView<Item> {
    struct Field {
        let name: String
        let header: String
        let value: (Item) -> String

        init(_ name: String, _ header: String, _ value: @escaping (Item) -> String) {
            self.name = name
            self.header = header
            self.value = value
        }
    }

    let fields: [Field]
    /// Names of the fields that the plain table shows, in order.
    let table: [String]

    /// All lines of output. O(items · fields).
    func lines(_ items: [Item], _ format: OutputFormat) throws(LaminaError) -> [String] {
        switch format {
        case .table:
            let shown = table.compactMap { name in fields.first { $0.name == name } }
            var result = Table(shown.map(\.header))
            for item in items { result.add(shown.map { $0.value(item) }) }
            return result.lines()
        case .json: return items.map { values(of: $0).json }
        case .template(let text):
            let template = try GoTemplate.parsed(text)
            // A wrong field is one whether or not there is an item.
            if items.isEmpty { _ = try template.filled(with: headers) }
            var lines: [String] = []
            for item in items {
                lines.append(Terminal.clean(try template.filled(with: values(of: item)), keeping: "\t\n"))
            }
            return lines
        case .tableTemplate(let text):
            let template = try GoTemplate.parsed(text)
            var result = Table(Self.cells(try template.filled(with: headers)))
            for item in items { result.add(Self.cells(try template.filled(with: values(of: item)))) }
            return result.lines()
        }
    }

    private static func cells(_ line: String) -> [String] {
        line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }

    /// What a template's line is for the header of a table.
    private var headers: FieldValue {
        .map(Dictionary(fields.map { ($0.name, .text($0.header)) }) { first, _ in first })
    }

    private func values(of item: Item) -> FieldValue {
        .map(Dictionary(fields.map { ($0.name, .text($0.value(item))) }) { first, _ in first })
    }
}
