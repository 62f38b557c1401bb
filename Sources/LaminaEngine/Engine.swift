// Engine owns one store: its directory, its catalogue and the lock between work that
// adds and work that removes. Everything a program does with Lamina starts here.

import Foundation
import Glibc
import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

/// A store of images and sandboxes.
///
/// Safe to use from many threads, and beside other processes on the same store. Calls
/// block; none needs a run loop. Errors are `LaminaError`.
public final class Engine: Sendable {
    /// The store's directory, absolute.
    public let root: ByteString
    let store: Store
    let catalog: Catalog

    /// Opens the store at `root`, making it when it is not there.
    public init(root: ByteString) throws(LaminaError) {
        self.root = try Engine.absolute(root)
        let path = self.root
        store = try Engine.storing(path.description) { () throws(StoreError) in try Store(at: path) }
        do throws(CatalogError) {
            catalog = try Catalog(path: path.appending("lamina.db").description)
        } catch {
            throw LaminaError(error)
        }
    }

    /// Opens the store to remove something: also where no byte is free, for which every store keeps a reserve.
    public static func forRemoving(root: ByteString) throws(LaminaError) -> Engine {
        Store.giveUpReserve(at: try absolute(root))
        return try Engine(root: root)
    }

    /// Where the store is when nobody says: `LAMINA_ROOT`, else `/var/lib/lamina` for root,
    /// else `lamina` below `XDG_DATA_HOME` or `~/.local/share`. Root of a user namespace is, on
    /// disk, a plain user.
    public static func defaultRoot(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        isRoot: Bool = geteuid() == 0 && !UserNamespace.isNested
    ) -> ByteString {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let root = value("LAMINA_ROOT") { return ByteString(root) }
        if isRoot { return "/var/lib/lamina" }
        let data = value("XDG_DATA_HOME") ?? (value("HOME") ?? "/") + "/.local/share"
        return ByteString(data).appending("lamina")
    }

    /// `path` below the working directory, unless it is absolute already.
    static func absolute(_ path: ByteString) throws(LaminaError) -> ByteString {
        if path.hasPrefix("/") { return path }
        var buffer = [CChar](repeating: 0, count: Limits.pathLength + 1)
        // SAFETY: getcwd writes a terminated string within the local buffer.
        guard unsafe getcwd(&buffer, buffer.count) != nil else {
            throw LaminaError("working directory", Errno(rawValue: Glibc.errno))
        }
        let here = ByteString(buffer.lazy.map { UInt8(bitPattern: $0) })
        return path == "." || path.isEmpty ? here : here.appending(path)
    }
}
