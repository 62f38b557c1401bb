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
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: .customLong("read-only"), help: "Refuse all writes.")
    var readOnly = false

    @Argument(help: "The sandbox's id, the start of it, or its name.")
    var sandbox: String

    @Argument(help: ArgumentHelp("Where to mount.", valueName: "dir"))
    var directory: String?

    func run() throws {
        let place = directory.map { ByteString($0) }
        print(try global.engine().mount(sandbox, at: place, readOnly: readOnly))
    }
}
