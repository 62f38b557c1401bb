// ObjectSizes owns what this process knows of the sizes of the store's objects, from which it
// guesses what a payload may be before a byte of it is read. A wrong guess costs time only.

import LaminaCodec
import LaminaCore
import LaminaSystem
import Synchronization

/// Objects by their size, read from the stored layers once, when first asked for.
///
/// Memory: at most 48 bytes for each of `limit` objects. What another process adds later is
/// not seen, and what is removed stays listed: whoever uses a candidate opens it.
final class ObjectSizes: Sendable {
    /// Objects of one size that are kept: the first ones.
    static let candidateLimit = 4
    /// Objects that are kept in all.
    static let limit = 1 << 18

    private struct Table {
        var isRead = false
        var count = 0
        var bySize: [UInt64: [Digest]] = [:]

        mutating func add(_ digest: Digest, size: UInt64) {
            var digests = bySize[size] ?? []
            guard count < ObjectSizes.limit, digests.count < ObjectSizes.candidateLimit,
                !digests.contains(digest)
            else { return }
            digests.append(digest)
            bySize[size] = digests
            count += 1
        }
    }

    private let table = Mutex(Table())

    /// The objects of `size` bytes, at most `candidateLimit`. O(objects of the store) the
    /// first time, O(1) afterwards.
    func candidates(size: UInt64, in store: borrowing Store) -> [Digest] {
        table.withLock { table in
            if !table.isRead {
                table.isRead = true
                Self.read(store, into: &table)
            }
            return table.bySize[size] ?? []
        }
    }

    /// Notes an object that has come into the store.
    func add(_ digest: Digest, size: UInt64) {
        table.withLock { table in
            // Before the first question, the layers say it.
            if table.isRead { table.add(digest, size: size) }
        }
    }

    /// A layer whose splits cannot be read has nothing to offer.
    private static func read(_ store: borrowing Store, into table: inout Table) {
        for entry in (try? store.layers.entries()) ?? [] {
            guard table.count < limit else { return }
            guard let diffID = Digest(hex: "\(entry.name)"), let splits = try? store.readSplits(diffID)
            else { continue }
            for record in splits.records { table.add(record.digest, size: record.length) }
        }
    }
}
