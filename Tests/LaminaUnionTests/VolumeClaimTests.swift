// Who uses a volume alone, and how he shares it.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Synchronization
import Testing

@testable import LaminaUnion

@Suite struct VolumeClaimTests {
    /// What the kernel would be told.
    private final class Telling: Sendable {
        let names = Mutex<[[ByteString]]>([])

        func listen(to claims: VolumeClaims) {
            claims.whenShared { [weak self] _, told in self?.names.withLock { $0.append(told.map(\.name)) } }
        }
    }

    private static func volume() throws -> (TemporaryDirectory, ByteString) {
        let directory = try TemporaryDirectory()
        try directory.descriptor.makeDirectories("v/_data")
        return (directory, directory.path.appending("v/_data"))
    }

    @Test func theSecondSharesWithTheFirst() throws {
        let (directory, files) = try Self.volume()
        let (first, second) = (VolumeClaims(), VolumeClaims())
        let telling = Telling()
        telling.listen(to: first)
        let one = first.claim(files)
        #expect(one.isAlone)
        #expect(one.tell("a", in: .root) && one.tell("b", in: .root))
        let two = second.claim(files)
        // He got in when the first had told the kernel.
        #expect(telling.names.withLock { $0 } == [["a", "b"]])
        #expect(!one.isAlone && !two.isAlone && !one.tell("c", in: .root) && !two.tell("c", in: .root))
        let three = first.claim(files)
        #expect(!three.isAlone && telling.names.withLock { $0.count } == 1)
        withExtendedLifetime((directory, one, two, three)) {}
    }

    /// As with a volume that stands at two places of one tree.
    @Test func twoClaimsOfOneUnionAreNotAlone() throws {
        let (directory, files) = try Self.volume()
        let claims = VolumeClaims()
        let telling = Telling()
        telling.listen(to: claims)
        let one = claims.claim(files)
        #expect(one.isAlone && one.tell("a", in: .root))
        let two = claims.claim(files)
        #expect(!one.isAlone && !two.isAlone && telling.names.withLock { $0 } == [["a"]])
        withExtendedLifetime(directory) {}
    }

    @Test func whoCameLastIsAloneAgainWhenAllWent() throws {
        let (directory, files) = try Self.volume()
        let claims = VolumeClaims()
        for _ in 0..<3 {
            var one: VolumeClaim? = claims.claim(files)
            #expect(one?.isAlone == true)
            var two: VolumeClaim? = claims.claim(files)
            #expect(two?.isAlone == false)
            one = nil
            two = nil
            _ = (one, two)
        }
        withExtendedLifetime(directory) {}
    }

    /// Whoever has the lock and does not answer, as a stopped server, is not waited for forever.
    @Test func aHolderWhoDoesNotAnswerIsPassedBy() throws {
        let (directory, files) = try Self.volume()
        try directory.descriptor.makeNode("v/mounts", mode: FileType.fifo.rawValue | 0o600, device: .zero)
        let holder = try directory.descriptor.open("v/mounts", O_RDWR)
        try holder.lockOpenFile(.alone)
        #expect(!VolumeClaims().claim(files).isAlone)
        #expect(throws: Errno.wouldBlock) {
            try directory.descriptor.open("v/mounts", O_RDWR).lockOpenFile(.shared)
        }
        try holder.lockOpenFile(.shared)
        #expect(!VolumeClaims().claim(files).isAlone)
        try holder.lockOpenFile(.free)
        #expect(VolumeClaims().claim(files).isAlone)
    }

    @Test func whatIsNoPipeIsLeftAlone() throws {
        let (directory, files) = try Self.volume()
        try directory.descriptor.open("v/mounts", O_WRONLY | O_CREAT, permissions: 0o600).writeAll([1])
        #expect(!VolumeClaims().claim(files).isAlone)
        #expect(try directory.descriptor.open("v/mounts", O_RDONLY).readAll(limit: 9) == [1])
    }

    @Test func withoutAPlaceForTheLockItIsShared() throws {
        let claims = VolumeClaims()
        #expect(!claims.claim("/proc/self/_data").isAlone && !claims.claim("/missing/_data").isAlone)
    }

    /// So many names are kept, and no more are promised.
    @Test func promisesAreBounded() throws {
        let (directory, files) = try Self.volume()
        let claim = VolumeClaims().claim(files)
        var promised = 0
        while promised < 1 << 20, claim.tell("name", in: .root) { promised += 1 }
        #expect(promised == (4 << 20) / 17 && claim.isAlone)
        withExtendedLifetime(directory) {}
    }

    @Test func namesAreForgottenByTheirTime() {
        var told = ToldNames()
        let parents = [NodeID.root, NodeID(rawValue: 1 << 62 | 77), NodeID(rawValue: .max)]
        for (number, parent) in parents.enumerated() {
            let isKept = told.append(ByteString("name\(number)"), in: parent, at: .max - 1 &+ UInt32(number))
            #expect(isKept)
        }
        #expect(told.names.map(\.name) == ["name0", "name1", "name2"] && told.names.map(\.parent) == parents)
        told.forget(before: .max)
        #expect(told.names.map(\.name) == ["name1", "name2"])
        // The clock went round.
        told.forget(before: 0)
        #expect(told.names.map(\.name) == ["name2"])
        told.forget(before: 1)
        #expect(told.names.isEmpty)
        let isKept = told.append("again", in: .root, at: 1)
        #expect(isKept && told.names.map(\.name) == ["again"])
    }

    /// Claims that come and go at once, in two unions: never are two alone.
    @Test func neverAreTwoAlone() throws {
        let (directory, files) = try Self.volume()
        let claims = [VolumeClaims(), VolumeClaims()]
        let alone = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        for claims in claims {
            claims.whenShared { _, _ in alone.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
        }
        let workers = try claims.map { claims in
            try Box {
                for _ in 0..<40 {
                    let claim = claims.claim(files)
                    if claim.isAlone {
                        let count = alone.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
                        if count > 1 { wrong.store(count, ordering: .relaxed) }
                        usleep(500)
                        // Whoever was told to share was counted off then.
                        if claim.share() != nil {
                            alone.wrappingSubtract(1, ordering: .sequentiallyConsistent)
                        }
                    } else {
                        usleep(500)
                    }
                }
            }
        }
        withExtendedLifetime(workers) {}
        _ = consume workers
        #expect(wrong.load(ordering: .relaxed) == 0)
        withExtendedLifetime(directory) {}
    }

    private final class Box: Sendable {
        let worker: Worker

        init(_ body: @escaping @Sendable () -> Void) throws { worker = try Worker(()) { _ in body() } }
    }
}
