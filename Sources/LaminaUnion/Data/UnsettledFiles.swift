// UnsettledFiles owns the set of copies that a power cut would take back. It is bounded, because each
// is held open: who would add one more settles all of them first.
//
// Invariant: while a file of the sandbox may be marked, the sandbox has the file `unsettled`, so that a
// mount knows what a killed server left.

import Glibc
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
    /// Whether the sandbox says that files may be marked.
    private let isNoted: Mutex<Bool>
    /// Whether a server that was killed in this boot may have left files that nobody met yet.
    private let leftovers: Atomic<Bool>

    private static let note: ByteString = "unsettled"

    /// More than this many only for as long as somebody settles.
    static let limit = 256
    /// Up to this many are synced one by one, so that nobody else's pages have to be written.
    static let few = 8

    /// - Parameter sandbox: a directory of the filesystem that has the files.
    init(sandbox: SharedDescriptor, readOnly: Bool) {
        self.sandbox = sandbox
        isReadOnly = readOnly
        let note = try? sandbox.descriptor.open(Self.note, O_RDONLY | O_NOFOLLOW).readAll(limit: 64)
        let boot = try? BootIdentity.current().bytes
        // What another boot left is met by its marks.
        let isThisBoots = note != nil && note == boot
        isNoted = Mutex(isThisBoots)
        leftovers = Atomic(isThisBoots && !readOnly)
    }

    /// To be called before a file is marked.
    func begin() throws(Errno) {
        try isNoted.withLock { (isNoted) throws(Errno) in
            guard !isNoted else { return }
            try writeNote()
            isNoted = true
        }
    }

    private func writeNote() throws(Errno) {
        let boot = try BootIdentity.current().bytes
        let file = try sandbox.descriptor.open(
            Self.note, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, permissions: 0o600)
        try file.writeAll(boot.raw, at: 0)
    }

    /// No file is marked any more, and no more will be.
    func end() throws(Errno) {
        guard !leftovers.load(ordering: .relaxed), count == 0 else { return }
        try isNoted.withLock { (isNoted) throws(Errno) in
            guard isNoted else { return }
            try sandbox.descriptor.removeFile(Self.note)
            isNoted = false
        }
    }

    /// Whether leftovers have to be looked for. Says so once, unless `leaveLeftovers` follows.
    func claimLeftovers() -> Bool { leftovers.exchange(false, ordering: .relaxed) }

    func leaveLeftovers() { leftovers.store(true, ordering: .relaxed) }

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
