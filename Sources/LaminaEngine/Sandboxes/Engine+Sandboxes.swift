// Finding sandboxes and telling their state.

import LaminaCatalog
import LaminaCore
import LaminaSystem

extension Engine {
    /// All sandboxes, newest first. O(sandboxes + mounts).
    public func sandboxes() throws(LaminaError) -> [Sandbox] {
        let records = try catalogue { catalog throws(CatalogError) in try catalog.sandboxes() }
        let mounts = try Self.mountpoints()
        return records.map { sandbox($0, mounts: mounts) }
    }

    /// The sandbox with this id or name, or the only one whose id starts with `text`.
    ///
    /// Throws `notFound`, or `badInput` when several ids start so.
    public func sandbox(_ text: String) throws(LaminaError) -> Sandbox {
        let found = try catalogue { catalog throws(CatalogError) in try catalog.sandboxes(matching: text) }
        guard let record = found.first else { throw LaminaError(.notFound, text, "no such sandbox") }
        guard found.count == 1 else {
            throw LaminaError(.badInput, text, "is ambiguous: several sandbox ids start with it")
        }
        return sandbox(record, mounts: try Self.mountpoints())
    }

    private func sandbox(_ record: SandboxRecord, mounts: Set<ByteString>) -> Sandbox {
        let directory = sandboxDirectory(record.id)
        let inTable = record.mountpoint.map { mounts.contains(ByteString($0)) } ?? false
        let state: Sandbox.State =
            switch (MountServer.isAlive(in: directory), inTable) {
            case (true, true): .mounted
            case (true, false): .detached
            case (false, true): .stale
            case (false, false): .idle
            }
        return Sandbox(record, state: state, directory: directory)
    }

    /// `<root>/sandboxes/<id>`.
    func sandboxDirectory(_ id: String) -> ByteString {
        root.appending("sandboxes").appending(ByteString(id))
    }

    static func mountpoints() throws(LaminaError) -> Set<ByteString> {
        let table = try system("/proc/self/mountinfo") { () throws(Errno) in try MountTable.entries() }
        return Set(table.map(\.mountpoint))
    }
}
