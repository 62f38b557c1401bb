import Glibc
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite struct RetirementTests {
    /// A store with one blob.
    private func withBlob(_ body: (Store, Digest) throws -> Void) throws {
        try withTemporaryPath { path in
            let store = try Store(at: path)
            try body(store, try store.putBlob(Array("content".utf8)))
        }
    }

    private func retire(_ digest: Digest, in store: Store) throws -> Retirement {
        let retirement = try Retirement(in: store)
        try retirement.take(.blob, digest)
        return retirement
    }

    /// A lock that was just let go may live on for a moment in a child that another test is about to run.
    private func removeLeftovers(of store: Store) throws {
        for _ in 0..<500 {
            if try store.leftovers().allSatisfy({ try store.remove($0) }) { return }
            usleep(10_000)
        }
        Issue.record("leftovers stay: \(try store.leftovers())")
    }

    @Test func goesAtOnceWhenNobodyMayNeedIt() throws {
        try withBlob { store, digest in
            let retirement = try retire(digest, in: store)
            #expect(!store.hasBlob(digest))
            #expect(try retirement.finish(waiting: 0))
            #expect(try store.leftovers().isEmpty && store.root.openDirectory("ingest").entries().isEmpty)
            #expect(throws: StoreError.missing(.blob, digest)) { _ = try store.openBlob(digest) }
        }
    }

    @Test func staysReadableForALeaseFromBefore() throws {
        try withBlob { store, digest in
            do {
                let lease = try store.lease()
                #expect(try !retire(digest, in: store).finish(waiting: 0))
                #expect(try store.readBlob(digest) == Array("content".utf8))
                for leftover in try store.leftovers() { #expect(try !store.remove(leftover)) }
                _ = consume lease
            }
            try removeLeftovers(of: store)
            #expect(throws: StoreError.missing(.blob, digest)) { _ = try store.readBlob(digest) }
        }
    }

    @Test func waitsForNoLeaseFromAfter() throws {
        try withBlob { store, digest in
            let old = try store.lease()
            #expect(try !retire(digest, in: store).finish(waiting: 0))
            let new = try store.lease()
            _ = consume old
            try removeLeftovers(of: store)
            #expect(try store.leftovers().isEmpty)
            _ = consume new
        }
    }

    /// Who began two generations ago may have met what goes now.
    @Test func waitsForOlderGenerationsToo() throws {
        try withBlob { store, digest in
            let old = try store.lease()
            let other = try store.putBlob(Array("other".utf8))
            #expect(try !retire(other, in: store).finish(waiting: 0))
            #expect(try !retire(digest, in: store).finish(waiting: 0))
            #expect(try store.readBlob(digest) == Array("content".utf8))
            _ = consume old
            try removeLeftovers(of: store)
            #expect(try store.leftovers().isEmpty)
        }
    }

    @Test func comesBackWhenItIsNeeded() throws {
        try withBlob { store, digest in
            let lease = try store.lease()
            let retirement = try retire(digest, in: store)
            #expect(try store.secure(.blob, digest) ?? 0 > 0)
            #expect(try store.hasBlob(digest) && retirement.finish(waiting: 0))
            #expect(try store.readBlob(digest) == Array("content".utf8))
            #expect(try store.secure(.blob, Fixed.other) == nil)
            _ = consume lease
        }
    }

    @Test func emptyDirectoriesGoAndComeBackForWhatNeedsThem() throws {
        try withBlob { store, digest in
            let other = try store.putBlob(Array("other".utf8))
            let lease = try store.lease()
            let retirement = try retire(digest, in: store)
            store.removeEmptyFanOuts()
            let blobs = try store.root.openDirectory("blobs/sha256")
            #expect(try blobs.entries().map(\.name) == [ByteString("\(other.hex.prefix(2))")])
            #expect(try store.secure(.blob, digest) ?? 0 > 0)
            #expect(try retirement.finish(waiting: 0))
            #expect(try store.readBlob(digest) == Array("content".utf8))
            _ = consume lease
        }
    }

    /// A prune between making the directory and the rename into it.
    @Test func aDirectoryThatGoesBeforeTheRenameIsMadeAgain() throws {
        try withTemporaryPath { path in
            let store = try Store(at: path)
            let digest = try store.putBlob(Array("content".utf8)) { (_, place) throws(StoreError) in
                store.removeEmptyFanOuts()
                try place()
            }
            #expect(try store.readBlob(digest) == Array("content".utf8))
        }
    }

    /// A prune between the rename and the sync of its directory: nothing refers to the blob yet.
    @Test func aDirectoryThatGoesBeforeItIsSyncedIsNoError() throws {
        try withTemporaryPath { path in
            let store = try Store(at: path)
            let lease = try store.lease()
            var retirement: Retirement?
            let digest = try store.putBlob(Array("content".utf8)) { (contents, place) throws(StoreError) in
                try place()
                let made = try Retirement(in: store)
                do throws(Errno) { try made.take(.blob, contents[0].1) } catch {
                    throw .system("take", error)
                }
                store.removeEmptyFanOuts()
                retirement = made
            }
            #expect(!store.hasBlob(digest))
            #expect(try store.secure(.blob, digest) ?? 0 > 0)
            #expect(try store.readBlob(digest) == Array("content".utf8))
            withExtendedLifetime(retirement) {}
            _ = consume lease
        }
    }

    /// Its owner died before the generation ended: the next one ends it.
    @Test func anUnfinishedOneIsFinishedByTheNext() throws {
        try withBlob { store, digest in
            let lease = try store.lease()
            do { _ = try retire(digest, in: store) }
            let leftover = try #require(try store.leftovers().first)
            #expect(try !store.remove(leftover))
            _ = consume lease
            try removeLeftovers(of: store)
            #expect(try store.leftovers().isEmpty)
        }
    }

    private enum Fixed {
        static let other = sha256(Array("other".utf8))
    }
}
