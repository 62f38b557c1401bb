// The bound on the index's resident memory, as /proc/self/smaps sees it.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

@Suite(.enabled(if: UnionFixture.isPossible)) struct ResidentIndexTests {
    private static let names = (0..<3000).map { ByteString("file-with-a-rather-long-name-\($0)") }

    private func fixture() throws -> UnionFixture {
        try UnionFixture(Self.names.map { .file($0, "x") })
    }

    /// KiB of the chain image that are in this process's memory.
    private func residentKiB(_ fixture: UnionFixture) throws -> Int {
        let path = "\(fixture.store.path.appending("chains"))/"
        let bytes = try Descriptor.open("/proc/self/smaps", O_RDONLY).readAll(limit: 16 << 20)
        var isOurs = false
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            if line.contains(path) { isOurs = true }
            if isOurs, line.hasPrefix("Rss:") { return Int(line.filter(\.isNumber)) ?? -1 }
        }
        return -1
    }

    private func lookUpAll(_ fixture: UnionFixture) throws {
        for name in Self.names { #expect(try fixture.find(name)?.status.size == 1) }
    }

    @Test func whatIsTooMuchIsLetGo() throws {
        let fixture = try fixture()
        try lookUpAll(fixture)
        let before = try residentKiB(fixture)
        #expect(before > 100)
        // Under the bound nothing happens.
        ResidentIndex(fixture.lower, limit: 1 << 40).bound()
        #expect(try residentKiB(fixture) == before)
        ResidentIndex(fixture.lower, limit: 0).bound()
        #expect(try residentKiB(fixture) == 0)
        try lookUpAll(fixture)
        #expect(try residentKiB(fixture) == before)
    }

    /// Pages that go away while they are read come back by themselves.
    @Test func lookupsGoOnMeanwhile() throws {
        let fixture = try fixture()
        let index = ResidentIndex(fixture.lower, limit: 0)
        let stop = Semaphore(count: 0)
        do {
            let worker = try Worker(index) { index in
                while !stop.wait(milliseconds: 0) { index.bound() }
            }
            for _ in 0..<5 { try lookUpAll(fixture) }
            stop.signal()
            worker.join()
        }
    }
}
