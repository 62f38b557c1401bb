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

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "A volume or a bind; a missing SRC is made. Options: ro, rw, nocopy, cached, consistent.",
            valueName: "[src:]dst[:options]"))
    var volume: [String] = []

    @Option(
        help: ArgumentHelp(
            "The same, or a tmpfs or an image, as fields: type=bind,src=/a,dst=/b,readonly.",
            valueName: "key=value,..."))
    var mount: [String] = []

    @Flag(
        name: .customLong("allow-special"),
        help: "Let binds lead to the store, to / and to what is below /proc and /sys.")
    var allowSpecial = false

    @Argument(help: "A reference, an id or the start of one.")
    var image: String

    func run() throws {
        var redirects: [RedirectRequest] = []
        for text in volume { redirects.append(try RedirectRequest(volume: ByteString(text))) }
        for text in mount { redirects.append(try RedirectRequest(mount: ByteString(text))) }
        let sandbox = try global.engine().create(
            image, name: name, redirects: redirects, allowSpecial: allowSpecial)
        print(sandbox.id)
    }
}
