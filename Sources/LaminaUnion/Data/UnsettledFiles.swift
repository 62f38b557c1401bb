// UnsettledFiles owns the set of copies that a power cut would take back. It is bounded, because each
// is held open: who would add one more settles all of them first.

import LaminaCore
import LaminaSystem
import Synchronization

/// The unsettled files of one union.
final class UnsettledFiles: Sendable {
    /// Whether marks stay as they are.
    let isReadOnly: Bool
    private let sandbox: SharedDescriptor
    private let files = Mutex<[ObjectIdentifier: UpperData]>([:])
    /// Held by who settles. Nobody waits for it with a file's lock.
    private let turn = Mutex<Void>(())

    /// More than this many only for as long as somebody settles.
    static let limit = 256
    /// Up to this many are synced one by one, so that nobody else's pages have to be written.
    static let few = 8

    /// - Parameter sandbox: a directory of the filesystem that has the files.
    init(sandbox: SharedDescriptor, readOnly: Bool) {
        self.sandbox = sandbox
        isReadOnly = readOnly
    }

    var count: Int { files.withLock { $0.count } }

    func add(_ file: UpperData) { files.withLock { $0[ObjectIdentifier(file)] = file } }

    func remove(_ file: UpperData) {
        // Outside the lock: the last to let go of a file may be here.
        let gone = files.withLock { $0.removeValue(forKey: ObjectIdentifier(file)) }
        withExtendedLifetime(gone) {}
    }

    /// Lets all go, as they are.
    func forget() {
        let gone = files.withLock { files in
            let all = files
            files = [:]
            return all
        }
        withExtendedLifetime(gone) {}
    }

    /// Settles the files when there are too many for one more.
    /// - Throws: the first error, when there is no room after it.
    func makeRoom() throws(Errno) {
        guard count >= Self.limit else { return }
        try turn.withLock { (_) throws(Errno) in
            guard count >= Self.limit else { return }
            do throws(Errno) {
                try settleAll()
            } catch  where count < Self.limit {
                UnionLog.report("cannot make a copy durable: \(error)")
            }
        }
    }

    /// Makes durable what was copied so far, and takes the marks away. A file that fails keeps no other
    /// from it, and stays.
    /// - Throws: the first error, when all was tried.
    func settle() throws(Errno) {
        guard !isReadOnly else { return }
        try turn.withLock { (_) throws(Errno) in try settleAll() }
    }

    private func settleAll() throws(Errno) {
        let all = files.withLock { Array($0.values) }
        guard !all.isEmpty else { return }
        var failure: Errno?
        // Once for the bytes, once for the removal of the marks.
        for _ in 0..<2 {
            var pending: [(file: UpperData, point: UpperData.SyncPoint)] = []
            for file in all {
                attempt(&failure) { () throws(Errno) in
                    if let point = try file.settlingPoint() { pending.append((file, point)) }
                }
            }
            let isOneSync = pending.count > Self.few
            if isOneSync { try sandbox.descriptor.openDirectory(".").syncFilesystem() }
            for (file, point) in pending {
                attempt(&failure) { () throws(Errno) in
                    if !isOneSync { try point.stage.file?.descriptor.sync() }
                    try file.advance(from: point)
                }
            }
        }
        if let failure { throw failure }
    }

    private func attempt(_ failure: inout Errno?, _ body: () throws(Errno) -> Void) {
        do throws(Errno) {
            try body()
        } catch {
            failure = failure ?? error
        }
    }
}
