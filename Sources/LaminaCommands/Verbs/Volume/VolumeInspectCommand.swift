// `lamina volume inspect`: everything known of volumes, as JSON.

import ArgumentParser
import Foundation
import LaminaEngine

/// `lamina volume inspect`
struct VolumeInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Print everything about volumes as a JSON array.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("Volumes.", valueName: "name"))
    var names: [String]

    func run() throws {
        let engine = try global.engine()
        var volumes: [Volume] = []
        var failed: ExitCode?
        do throws(ExitCode) {
            try forEach(names) { name throws(LaminaError) in volumes.append(try engine.volume(name)) }
        } catch {
            failed = error
        }
        // Also when some, or all, were not found, as Docker does.
        print(volumes.isEmpty ? "[]" : Format.json(volumes.map(Self.fields)))
        if let failed { throw failed }
    }

    /// Docker's, and who uses the volume.
    static func fields(_ volume: Volume) -> [String: Any] {
        [
            "CreatedAt": Format.time(volume.created), "Driver": volume.driver,
            "Labels": volume.labels.isEmpty ? NSNull() : volume.labels as Any,
            "Mountpoint": volume.directory.description, "Name": volume.name,
            "Options": volume.options.isEmpty ? NSNull() : volume.options as Any, "Scope": "local",
            "Sandboxes": volume.sandboxes,
        ]
    }
}
