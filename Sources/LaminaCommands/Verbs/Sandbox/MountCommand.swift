// `lamina mount`: returns when the mount serves.

import ArgumentParser
import LaminaCore
import LaminaEngine

/// `lamina mount`
struct MountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount", abstract: "Mount a sandbox and print the mountpoint.",
        discussion: """
            Returns when the mount serves. Without DIR the sandbox is mounted at merged in its own \
            directory. DIR must be a directory that is no mount point yet; its entries are hidden while \
            the mount lasts.

            Without root, the mount shows the image's owners, to whom most files belong, so that only they \
            may write. "--uidmap 0:$(id -u):1 --gidmap 0:$(id -g):1" shows the image's root as you.
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: .customLong("read-only"), help: "Refuse all writes.")
    var readOnly = false

    @Flag(help: "Make nothing durable until umount: faster, and a crash may cost all that was written.")
    var volatile = false

    @Flag(help: "Mount as it is what a volatile mount left that did not end cleanly.")
    var force = false

    @Flag(
        name: .customLong("ignore-case"),
        help: "Look names up as Windows does: FOO finds foo. Each lookup then asks the server.")
    var ignoreCase = false

    @Option(help: "Who moves the bytes of open files: auto, passthrough or cached.")
    var data = MountSettings.DataMode.auto

    @Flag(
        name: .customLong("no-passthrough"),
        help: "Let the server move all bytes, even where the kernel could.")
    var noPassthrough = false

    @Flag(name: .customLong("verify-on-open"), help: ArgumentHelp(VerifyOnOpen.help))
    var verifyOnOpen = false

    @Option(help: MapArgument.help("users"))
    var uidmap: MapArgument?

    @Option(help: MapArgument.help("groups"))
    var gidmap: MapArgument?

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    @Argument(help: ArgumentHelp("Where to mount.", valueName: "dir"))
    var directory: String?

    func run() throws {
        let place = directory.map { ByteString($0) }
        var settings = MountSettings()
        settings.readOnly = readOnly
        settings.users = uidmap?.map
        settings.groups = gidmap?.map
        settings.isVolatile = volatile
        settings.force = force
        settings.ignoresCase = ignoreCase
        settings.data = data
        settings.withoutPassthrough = noPassthrough
        settings.verifiesOnOpen = verifyOnOpen
        print(try global.engine().mount(sandbox, at: place, settings))
        if volatile {
            Terminal.error("\(sandbox): mounted volatile: until umount, a crash may cost all that is written")
        }
    }
}

extension MountSettings.DataMode: ExpressibleByArgument {}

/// What `mount` and `run` say of an option that both have.
enum VerifyOnOpen {
    static let help = """
        Compare the image's bytes with their digests before they are shown: a damaged file gives EIO and a line in \
        mountd.log.
        """
}

/// `CONTAINER:HOST:COUNT[,…]` on the command line.
struct MapArgument: ExpressibleByArgument, Sendable {
    var map: IdentityMap

    init?(argument: String) {
        guard let map = IdentityMap(argument) else { return nil }
        self.map = map
    }

    static func help(_ kind: String) -> ArgumentHelp {
        ArgumentHelp(
            "Show \(kind) of the image, from CONTAINER on, as COUNT others from HOST on; all the rest as 65534.",
            valueName: "container:host:count,...")
    }
}
