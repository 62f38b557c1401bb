// `lamina layer inspect`: everything known of layers, as JSON.

import ArgumentParser
import LaminaEngine

/// `lamina layer inspect`
struct LayerInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Print everything about layers as a JSON array.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("DiffIDs, or starts of them.", valueName: "diffID"))
    var layers: [String]

    func run() throws {
        let engine = try global.engine()
        var objects: [[String: Any]] = []
        var failed: ExitCode?
        do throws(ExitCode) {
            try forEach(layers) { name throws(LaminaError) in
                objects.append(LayerFields.all(try engine.layerDetails(engine.layer(name))))
            }
        } catch {
            failed = error
        }
        print(objects.isEmpty ? "[]" : Format.json(objects))
        if let failed { throw failed }
    }
}
