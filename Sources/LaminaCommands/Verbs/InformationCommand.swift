// `lamina info`: what the store holds and what the machine can do.

import ArgumentParser
import LaminaEngine

/// `lamina info`
struct InformationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show what the store holds, and what this machine lets Lamina do.")

    @OptionGroup var global: GlobalOptions

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("json, or a Go template such as '{{.Images}}'.", valueName: "format"))
    var format: String?

    func run() throws {
        let information = try global.engine().information()
        let fields = Self.fields(information)
        guard let format else {
            for line in Self.lines(information) { print(line) }
            return
        }
        if format == "json" { return print(Format.json(fields)) }
        let template = try GoTemplate.parsed(format)
        print(Terminal.clean(try template.filled(with: FieldValue(object: fields) ?? .null), keeping: "\t\n"))
    }

    private static func fields(_ information: StoreInformation) -> [String: Any] {
        [
            "Version": Version.number, "Root": information.root.description, "Images": information.images,
            "Layers": information.layers, "Sandboxes": information.sandboxes,
            "MountedSandboxes": information.mountedSandboxes, "Volumes": information.volumes,
            "TotalBytes": information.totalBytes, "AvailableBytes": information.availableBytes,
            "KernelVersion": information.kernel, "Architecture": information.architecture,
            "NCPU": information.processors, "MemTotal": information.memoryBytes,
            "MountServer": information.mountServer?.description ?? "",
            "Features": information.features.map { feature in
                ["Name": feature.name, "Available": feature.isAvailable, "Reason": feature.reason]
                    as [String: Any]
            },
        ]
    }

    private static func lines(_ information: StoreInformation) -> [String] {
        func size(_ bytes: UInt64) -> String { Format.size(Int64(clamping: bytes)) }
        var lines = [
            "Version: \(Version.number)",
            "Store: \(information.root)",
            " Images: \(information.images)", " Layers: \(information.layers)",
            " Sandboxes: \(information.sandboxes)", "  Mounted: \(information.mountedSandboxes)",
            " Volumes: \(information.volumes)",
            " Filesystem: \(size(information.availableBytes)) free of \(size(information.totalBytes))",
            "Kernel: Linux \(information.kernel)", "Architecture: \(information.architecture)",
            "Processors: \(information.processors)", "Memory: \(size(information.memoryBytes))",
            "Mount server: \(information.mountServer?.description ?? "not found; set LAMINA_MOUNTD")",
            "Features:",
        ]
        for feature in information.features {
            lines.append(" \(feature.name): \(feature.isAvailable ? "yes" : "no"), \(feature.reason)")
        }
        return lines.map { Terminal.clean($0) }
    }
}
