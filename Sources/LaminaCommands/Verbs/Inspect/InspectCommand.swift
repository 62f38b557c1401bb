// `lamina inspect`: everything known of sandboxes, images, layers and volumes, as JSON.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina inspect`
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Print everything about sandboxes, images, layers or volumes as a JSON array.",
        discussion: """
            A sandbox's id or name is tried first, then an image, a volume and a layer's diffID. Names that mean \
            nothing are errors, and the rest is printed all the same.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Print each thing by a Go template such as '{{.State.Status}}', or by json.",
            valueName: "format"))
    var format: String?

    @Option(help: "Look for one kind only: \(InspectKind.names).")
    var type: InspectKind?

    @Argument(help: ArgumentHelp("Sandboxes, images, layers or volumes.", valueName: "name"))
    var names: [String]

    func run() throws {
        let template = try format.flatMap { text throws(LaminaError) in
            text == "json" ? nil : try GoTemplate.parsed(text)
        }
        let engine = try global.engine()
        var objects: [[String: Any]] = []
        var failed: ExitCode?
        do throws(ExitCode) {
            try forEach(names) { name throws(LaminaError) in
                objects.append(try Self.object(name, type.map { [$0] } ?? InspectKind.allCases, engine))
            }
        } catch {
            failed = error
        }
        if let template {
            for object in objects {
                print(
                    Terminal.clean(
                        try template.filled(with: FieldValue(object: object) ?? .null), keeping: "\t\n"))
            }
        } else if format != nil {
            for object in objects { print(Format.json(object)) }
        } else {
            // Also when some, or all, were not found, as Docker does.
            print(objects.isEmpty ? "[]" : Format.json(objects))
        }
        if let failed { throw failed }
    }

    private static func object(
        _ name: String, _ kinds: [InspectKind], _ engine: Engine
    ) throws(LaminaError) -> [String: Any] {
        for kind in kinds {
            do throws(LaminaError) {
                return try kind.fields(name, engine)
            } catch {
                guard error.code == .notFound else { throw error }
            }
        }
        throw LaminaError(.notFound, name, "no such \(kinds.map(\.rawValue).joined(separator: ", "))")
    }
}

/// What can be inspected, in the order in which it is looked for.
enum InspectKind: String, ExpressibleByArgument, CaseIterable {
    case sandbox
    case image
    case volume
    case layer

    static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// Docker calls a sandbox a container.
    init?(argument: String) {
        self.init(rawValue: argument == "container" ? "sandbox" : argument)
    }

    /// Throws `notFound` when there is nothing of this kind and name.
    func fields(_ name: String, _ engine: Engine) throws(LaminaError) -> [String: Any] {
        switch self {
        case .sandbox: return SandboxFields.all(try engine.sandbox(name), engine)
        case .image:
            let image = try engine.image(name)
            return ImageFields.all(image, config: try engine.config(of: image))
        case .volume:
            var fields = VolumeInspectCommand.fields(try engine.volume(name))
            fields["Kind"] = "volume"
            return fields
        case .layer: return LayerFields.all(try engine.layerDetails(engine.layer(name)))
        }
    }
}
