import LaminaCore
import Testing

@Suite struct IdentityMapTests {
    @Test func translatesBothWays() throws {
        let map = try #require(IdentityMap("0:1000:1,1:100000:65536"))
        #expect(map.shown(0) == 1000 && map.shown(1) == 100_000 && map.shown(65_536) == 165_535)
        #expect(map.shown(65_537) == IdentityMap.overflow)
        #expect(map.stored(1000) == 0 && map.stored(100_000) == 1 && map.stored(165_535) == 65_536)
        #expect(map.stored(0) == nil && map.stored(165_536) == nil)
        #expect(IdentityMap(map.description) == map)
    }

    @Test func takesTheLargestRange() throws {
        let map = try #require(IdentityMap("0:0:4294967295"))
        #expect(map.shown(4_294_967_294) == 4_294_967_294)
        #expect(map.shown(.max) == IdentityMap.overflow)
    }

    @Test func refusesTooManyRanges() {
        let ranges = (0..<341).map { "\($0):\($0):1" }
        #expect(IdentityMap(ranges.joined(separator: ",")) == nil)
        #expect(IdentityMap(ranges.dropLast().joined(separator: ",")) != nil)
    }

    @Test func recordsOwnersAsTextOfContainersStorage() {
        let record = OverrideStat(uid: 0, gid: 42, permissions: 0o4755)
        #expect(record.encoded == Array("0:42:04755".utf8))
        #expect(OverrideStat(record.encoded) == record)
        #expect(OverrideStat(Array("0:42:0104755:file".utf8)) == record)
        for wrong in ["", "0:0", "0:0:9", "-1:0:0", "0:x:0"] {
            #expect(OverrideStat(Array(wrong.utf8)) == nil)
        }
    }
}
