// `lamina create`: image in, id of a new sandbox out.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina create`
struct CreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a sandbox on an image and print its id.",
        discussion: """
            Volumes and binds are Docker's: an absolute SRC is a path of the host, any other a volume, and DST \
            alone an anonymous volume. Each VOLUME of the image becomes one too. docs/REDIRECTS.md has all options.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: "A name for it; one is made up otherwise.")
    var name: String?

    @OptionGroup var redirects: RedirectOptions

    @Argument(help: "A reference, an id or the start of one.")
    var image: String

    func run() throws {
        let sandbox = try global.engine().create(
            image, name: name, redirects: redirects.requests(), allowSpecial: redirects.allowSpecial)
        print(sandbox.id)
    }
}
