// StoreLease owns a process's say that content stays readable which it has met, though nothing may refer to it.
//
// Leases come in generations. The store's file `lease` is the present one, and a lease is a shared lock (`flock(2)`)
// on it. Who takes content out of its place (`Retirement`) puts a new file there afterwards; when nobody holds the
// old one any more, nobody is left who can have met that content, and its bytes may go. So nobody waits to begin,
// and a lease ends with its process.

import Glibc
import LaminaCore
import LaminaSystem

/// A shared lock on the present generation, held from before content is recognised, read or published until
/// the catalogue refers to it or nobody needs it.
public struct StoreLease: ~Copyable, Sendable {
    private let file: Descriptor

    fileprivate init(_ file: consuming Descriptor) {
        self.file = file
    }
}

extension Store {
    static let leaseName: ByteString = "lease"
    /// A generation can end between two system calls so often, and no more.
    private static let mostRaces = 1_000

    /// Takes a lease. Dropping it gives it back.
    public func lease() throws(StoreError) -> StoreLease {
        try doing("lock the store") { () throws(Errno) in
            for _ in 0..<Self.mostRaces {
                let file = try root.open(
                    Self.leaseName, O_RDONLY | O_CREAT | O_NOFOLLOW, permissions: 0o600)
                try file.lock(exclusive: false)
                if try isPresent(file) { return StoreLease(file) }
            }
            throw .resourceBusy
        }
    }

    private func isPresent(_ file: borrowing Descriptor) throws(Errno) -> Bool {
        do throws(Errno) {
            return try root.status(of: Self.leaseName).inode == file.status().inode
        } catch Errno.noSuchFileOrDirectory {
            return false
        }
    }

    /// Ends the present generation, and leaves its file in `directory` as `lease`.
    func endGeneration(keepingIn directory: borrowing Descriptor) throws(Errno) {
        // A store that nobody has worked on has none yet.
        _ = try root.open(Self.leaseName, O_RDONLY | O_CREAT | O_NOFOLLOW, permissions: 0o600)
        do throws(Errno) {
            try root.link(Self.leaseName, to: directory, Self.leaseName)
        } catch Errno.fileExists {
            return
        }
        let new = ByteString("lease-\(String(UInt64.random(in: 0 ... .max), radix: 16))")
        _ = try root.open(new, O_RDONLY | O_CREAT | O_EXCL, permissions: 0o600)
        do throws(Errno) {
            try root.rename(new, to: root, Self.leaseName)
        } catch {
            try? root.removeFile(new)
            throw error
        }
    }

    /// Whether nobody holds a lease of the generation whose file is in `directory`.
    func isOver(generationIn directory: borrowing Descriptor) throws(Errno) -> Bool {
        do throws(Errno) {
            let file = try directory.open(Self.leaseName, O_RDONLY | O_NOFOLLOW)
            try file.lock(exclusive: true, wait: false)
            return true
        } catch Errno.wouldBlock {
            return false
        }
    }
}
