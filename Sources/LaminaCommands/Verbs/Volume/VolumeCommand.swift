// `lamina volume`: directories that outlive sandboxes.

import ArgumentParser
import LaminaEngine

/// `lamina volume`
struct VolumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "Make, list and remove volumes.",
        subcommands: [
            VolumeCreateCommand.self, VolumeListCommand.self, VolumeInspectCommand.self,
            VolumeRemoveCommand.self, VolumePruneCommand.self,
        ])
}

/// `KEY[=VALUE]` of labels and options.
enum KeyValue {
    /// The last value of each key; none is the empty one.
    static func pairs(_ texts: [String]) -> [String: String] {
        var result: [String: String] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            result[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return result
    }

    /// Labels, with Docker's rule for their names.
    static func labels(_ texts: [String]) throws(LaminaError) -> [String: String] {
        let result = pairs(texts)
        for key in result.keys.sorted() {
            if key.isEmpty { throw LaminaError(.usage, "--label", "invalid label: empty name") }
            if key.contains(where: { $0 == " " || $0 == "\t" }) {
                throw LaminaError(.usage, "--label", "label '\(key)' contains whitespaces")
            }
        }
        return result
    }
}
