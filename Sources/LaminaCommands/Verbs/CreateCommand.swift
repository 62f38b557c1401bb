// `lamina create`: image in, id of a new sandbox out.

import ArgumentParser
import LaminaEngine

/// `lamina create`
struct CreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a sandbox on an image and print its id.")

    @OptionGroup var global: GlobalOptions

    @Option(help: "A name for it; one is made up otherwise.")
    var name: String?

    @Argument(help: "A reference, an id or the start of one.")
    var image: String

    func run() throws {
        print(try global.engine().create(image, name: name).id)
    }
}
