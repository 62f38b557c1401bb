// `lamina version`, and the one place that holds the version.

import ArgumentParser
import LaminaEngine

/// The version of the program.
enum Version {
    static let number = "0.1.0"
    static let text = "lamina \(number)"
}

/// `lamina version`
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("json, or a Go template such as '{{.Version}}'.", valueName: "format"))
    var format: String?

    func run() throws {
        guard let format else { return print(Version.text) }
        let fields = ["Name": "lamina", "Version": Version.number]
        if format == "json" { return print(Format.json(fields)) }
        print(try GoTemplate.parsed(format).filled(with: FieldValue(object: fields) ?? .null))
    }
}
