// StoreLease owns a process's say that content stays readable which it has met, though nothing may refer to it.
//
// Leases come in generations: files of `leases/`, called by ascending numbers, the greatest of which is the present
// one. A lease is a shared lock (`flock(2)`) on it. Who takes content out of its place (`Retirement`) makes the next
// one afterwards; when nobody holds that generation's file or an older one, nobody is left who can have met that
// content, and its bytes may go. So nobody waits to begin, and a lease ends with its process.

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
    private static let firstGeneration: UInt64 = 1
    /// A generation can end between two system calls so often, and no more.
    private static let mostRaces = 1_000

    /// Takes a lease. Dropping it gives it back.
    public func lease() throws(StoreError) -> StoreLease {
        try doing("lock the store") { () throws(Errno) in
            for _ in 0..<Self.mostRaces {
                let number = try presentGeneration()
                let file = try openGeneration(number)
                try file.lock(exclusive: false)
                // One whose file is gone protects nothing.
                if try file.status().linkCount > 0, try presentGeneration() == number {
                    return StoreLease(file)
                }
            }
            throw .resourceBusy
        }
    }

    /// Ends the present generation; its number.
    func endGeneration() throws(Errno) -> UInt64 {
        let number = try presentGeneration()
        _ = try openGeneration(number &+ 1)
        return number
    }

    /// Whether nobody holds a lease of this generation or an older one. Their files go, as far as that is so; that of
    /// the present one stays.
    func isOver(_ generation: UInt64) throws(Errno) -> Bool {
        let room = try root.openDirectory(Self.leases)
        let all = try generations(in: room)
        for number in all where number <= generation {
            do throws(Errno) {
                let file = try room.open(Self.name(number), O_RDONLY | O_NOFOLLOW)
                try file.lock(exclusive: true, wait: false)
                // Who opened it before sees that it is not the present one any more.
                if number != all.last { try room.removeFile(Self.name(number)) }
            } catch Errno.wouldBlock {
                return false
            } catch Errno.noSuchFileOrDirectory {
                continue
            }
        }
        return true
    }

    private func openGeneration(_ number: UInt64) throws(Errno) -> Descriptor {
        try root.openDirectory(Self.leases)
            .open(Self.name(number), O_RDONLY | O_CREAT | O_NOFOLLOW, permissions: 0o600)
    }

    private func presentGeneration() throws(Errno) -> UInt64 {
        try generations(in: root.openDirectory(Self.leases)).last ?? Self.firstGeneration
    }

    /// Ascending.
    private func generations(in room: borrowing Descriptor) throws(Errno) -> [UInt64] {
        try room.entries().compactMap { UInt64($0.name.description) }.sorted()
    }

    private static func name(_ generation: UInt64) -> ByteString { ByteString("\(generation)") }
}
