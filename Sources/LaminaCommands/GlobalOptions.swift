// Options that every verb has, and the way from them to a store.

import ArgumentParser
import LaminaCore
import LaminaEngine

struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The store's directory.", valueName: "dir"))
    var root: String?

    func engine() throws(LaminaError) -> Engine { try Engine(root: directory) }

    func engineForRemoving() throws(LaminaError) -> Engine { try Engine.forRemoving(root: directory) }

    private var directory: ByteString { root.map { ByteString($0) } ?? Engine.defaultRoot() }
}

/// How lists are printed.
enum ListFormat: String, ExpressibleByArgument, CaseIterable {
    /// Columns for people.
    case table
    /// One JSON object a line, as Docker does.
    case json
}
