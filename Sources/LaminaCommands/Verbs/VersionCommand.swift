// `lamina version`, and the one place that holds the version.

import ArgumentParser

/// The version of the program.
enum Version {
    static let text = "lamina 0.1.0"
}

/// `lamina version`
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() {
        print(Version.text)
    }
}
