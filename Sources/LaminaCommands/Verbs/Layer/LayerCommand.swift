// `lamina layer`: layers by themselves.

import ArgumentParser
import LaminaEngine

/// `lamina layer`
struct LayerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layer", abstract: "List layers and what they hold, and give their original tars back.",
        subcommands: [
            LayerListCommand.self, LayerInspectCommand.self, LayerFilesCommand.self, LayerWriteCommand.self,
        ])
}

/// `lamina layer ls`
struct LayerListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List layers, with the bytes of their tars and the images that have them.")

    @OptionGroup var global: GlobalOptions

    @Flag(name: [.short, .long], help: "Print diffIDs only.")
    var quiet = false

    func run() throws {
        let layers = try global.engine().layers()
        if quiet {
            for layer in layers { print(layer.diffID) }
            return
        }
        var table = Table(["DIFF ID", "TAR SIZE", "ENTRIES", "IMAGES"])
        for layer in layers {
            table.add([
                "\(layer.diffID)", Format.size(layer.tarSize), "\(layer.entryCount)", "\(layer.imageCount)",
            ])
        }
        for line in table.lines() { print(line) }
    }
}

/// `lamina layer cat`
struct LayerWriteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Write a layer's original tar to stdout, bit for bit.",
        discussion: """
            Its digest is taken on the way. When that is not the diffID, the command fails, and FILE is \
            removed.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(name: [.short, .long], help: ArgumentHelp("Write to a file.", valueName: "file"))
    var output: String?

    @Argument(help: ArgumentHelp("The layer's diffID, or the start of it.", valueName: "diffID"))
    var layer: String

    func run() throws {
        let engine = try global.engine()
        let diffID = try engine.layer(layer)
        try OutputFile.write(to: output) { file throws(LaminaError) in
            try engine.writeTar(of: diffID, to: file)
        }
    }
}
