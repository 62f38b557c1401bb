// `lamina layer`: layers by themselves.

import ArgumentParser
import Glibc
import LaminaCore
import LaminaEngine
import LaminaSystem

/// `lamina layer`
struct LayerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layer", abstract: "List layers, and give their original tars back.",
        subcommands: [LayerListCommand.self, LayerWriteCommand.self])
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
        guard let output else {
            if isatty(STDOUT_FILENO) == 1 {
                throw ValidationError("a tar is nothing for a terminal: give --output FILE or a pipe")
            }
            return try engine.writeTar(of: diffID, to: Descriptor.duplicate(of: STDOUT_FILENO))
        }
        let path = ByteString(output)
        let file: Descriptor
        do {
            file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o644)
        } catch {
            throw LaminaError(.failure, output, "\(error)", cause: error)
        }
        do {
            try engine.writeTar(of: diffID, to: file)
        } catch {
            // Nobody may take half a tar, or a wrong one, for the layer. A device stays.
            if (try? file.status().type) == .regular { try? Descriptor.workingDirectory().removeFile(path) }
            throw error
        }
    }
}
