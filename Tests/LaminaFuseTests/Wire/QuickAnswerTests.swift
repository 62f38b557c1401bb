// Answers that need no lock: the same as the union's, and none where the sandbox has a say.

import Glibc
import LaminaCore
import LaminaTestSupport
import LaminaUnion
import Testing

@testable import LaminaFuse

@Suite struct QuickAnswerTests {
    private static func fixture() throws -> QuickFixture {
        var entries: [FixtureEntry] = [
            .file("d/file", "some bytes"), .file("d/empty", ""), .symlink("d/link", "target/of/it"),
            .file("d/big", bytes: [UInt8](repeating: 7, count: Limits.objectThreshold)),
            .file("d/full", bytes: [UInt8](repeating: 5, count: Limits.objectThreshold - 1)),
        ]
        for index in 0..<400 { entries.append(.file(ByteString("many/name\(index)"), "x")) }
        return try QuickFixture(entries)
    }

    private static func name(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    @Test func lookupsAndAttributes() throws {
        let fixture = try Self.fixture()
        let directory = try fixture.node("d")
        let (outcome, entry) = try fixture.ask(Opcode.lookup, directory, Self.name("file"))
        #expect(outcome == .ready && entry.count == WireAnswer.entrySize)
        let status = try fixture.union.status(of: NodeID(rawValue: try fixture.node("d/file")))
        #expect(entry.number(0, as: UInt64.self) == status.inode)
        #expect(entry.number(16, as: UInt64.self) == 3600 && entry.number(24, as: UInt64.self) == 3600)
        let (_, attributes) = try fixture.ask(Opcode.getattr, status.inode, [])
        #expect(attributes.number(0, as: UInt64.self) == 3600)
        #expect(Array(attributes[16...]) == Array(entry[40...]))
        #expect(entry.number(48, as: Int64.self) == status.size)
        #expect(entry.number(56, as: Int64.self) == status.blocks)
        #expect(entry.number(72, as: Int64.self) == status.mtime.seconds)
        #expect(entry.number(92, as: UInt32.self) == status.mtime.nanoseconds)
        #expect(entry.number(100, as: UInt32.self) == status.mode)
        #expect(entry.number(104, as: UInt32.self) == status.linkCount)
        #expect(entry.number(108, as: UInt32.self) == status.uid)
        #expect(entry.number(120, as: UInt32.self) == status.blockSize)
        let (absent, none) = try fixture.ask(Opcode.lookup, directory, Self.name("nothing"))
        #expect(absent == .ready && none.count == WireAnswer.entrySize)
        #expect(none.number(0, as: UInt64.self) == 0 && none.number(16, as: UInt64.self) == 3600)
    }

    @Test func whatTheSandboxHasASayInGoesOn() throws {
        let fixture = try Self.fixture()
        let node = try fixture.node("d/file")
        var change = AttributeChange()
        change.permissions = 0o600
        _ = try fixture.union.setAttributes(of: NodeID(rawValue: node), change)
        let directory = try fixture.node("d")
        #expect(try fixture.ask(Opcode.lookup, 1, Self.name("d")).0 == .none)
        #expect(try fixture.ask(Opcode.lookup, directory, Self.name("file")).0 == .none)
        #expect(try fixture.ask(Opcode.lookup, directory, Self.name("link")).0 == .ready)
        #expect(try fixture.ask(Opcode.getattr, node, []).0 == .none)
        #expect(try fixture.ask(Opcode.read, node, QuickFixture.reading(0, 4096)).0 == .none)
        #expect(try fixture.ask(Opcode.readdir, directory, QuickFixture.reading(0, 4096)).0 == .none)
        #expect(try fixture.ask(Opcode.readdirplus, directory, QuickFixture.reading(0, 4096)).0 == .none)
        #expect(try fixture.ask(Opcode.forget, node, QuickFixture.bytes(UInt64(1))).0 == .none)
        for opcode in [Opcode.getattr, Opcode.readlink, Opcode.getxattr, Opcode.listxattr] {
            #expect(try fixture.ask(opcode, 1 << 63 | 5, [UInt8](repeating: 0, count: 16)).0 == .none)
        }
    }

    @Test func symlinksAndAttributesThatAreNotThere() throws {
        let fixture = try Self.fixture()
        let (outcome, target) = try fixture.ask(Opcode.readlink, try fixture.node("d/link"), [])
        #expect(outcome == .ready && target == Array("target/of/it".utf8))
        let file = try fixture.node("d/file")
        let asked = [UInt8](repeating: 0, count: 8) + Self.name("security.capability")
        #expect(try fixture.ask(Opcode.getxattr, file, asked).0 == .failed(.noData))
        let (list, size) = try fixture.ask(Opcode.listxattr, file, [UInt8](repeating: 0, count: 8))
        #expect(list == .ready && size == [UInt8](repeating: 0, count: 8))
        let (names, bytes) = try fixture.ask(
            Opcode.listxattr, file, QuickFixture.bytes(UInt64(64)))
        #expect(names == .ready && bytes.isEmpty)
    }

    @Test func readsStreams() throws {
        let fixture = try Self.fixture()
        let file = try fixture.node("d/file")
        let (outcome, all) = try fixture.ask(Opcode.read, file, QuickFixture.reading(0, 131_072))
        #expect(outcome == .ready && all == Array("some bytes".utf8))
        let (_, middle) = try fixture.ask(Opcode.read, file, QuickFixture.reading(5, 2))
        #expect(middle == Array("by".utf8))
        for offset: UInt64 in [10, 11, 1 << 62, .max] {
            let (end, nothing) = try fixture.ask(Opcode.read, file, QuickFixture.reading(offset, 4096))
            #expect(end == .ready && nothing.isEmpty)
        }
        let (_, empty) = try fixture.ask(
            Opcode.read, try fixture.node("d/empty"), QuickFixture.reading(0, 4096))
        #expect(empty.isEmpty)
        let (_, full) = try fixture.ask(
            Opcode.read, try fixture.node("d/full"), QuickFixture.reading(0, .max))
        #expect(full == [UInt8](repeating: 5, count: Limits.objectThreshold - 1))
        let big = try fixture.node("d/big")
        #expect(try fixture.ask(Opcode.read, big, QuickFixture.reading(0, 4096)).0 == .none)
    }

    @Test(arguments: [UInt32(200), 4096, .max]) func listings(_ size: UInt32) throws {
        let fixture = try Self.fixture()
        let directory = try fixture.node("many")
        for opcode in [Opcode.readdir, Opcode.readdirplus] {
            let before = opcode == Opcode.readdirplus ? WireAnswer.entrySize : 0
            var names: [String] = []
            var cookie: UInt64 = 0
            var bare = 0
            while true {
                let (outcome, bytes) = try fixture.ask(
                    opcode, directory, QuickFixture.reading(cookie, size))
                // Somebody asks for what a listing leaves out, so that it brings nearly all.
                _ = try fixture.ask(Opcode.lookup, directory, Self.name("name1"))
                #expect(outcome == .ready && bytes.count <= Int(size))
                if bytes.isEmpty { break }
                var at = 0
                while at < bytes.count {
                    let entry = at + before
                    let length = Int(bytes.number(entry + 16, as: UInt32.self))
                    cookie = bytes.number(entry + 8, as: UInt64.self)
                    let name = String(decoding: bytes[(entry + 24)..<(entry + 24 + length)], as: UTF8.self)
                    let isDot = name == "." || name == ".."
                    #expect(bytes.number(entry + 20, as: UInt32.self) == (isDot ? 4 : 8))
                    if before > 0 {
                        let inode = bytes.number(entry, as: UInt64.self)
                        let node = bytes.number(at, as: UInt64.self)
                        #expect(node == 0 || node == inode && !isDot)
                        if node == 0 { bare += 1 }
                    }
                    names.append(name)
                    at = entry + (24 + length + 7) / 8 * 8
                }
                #expect(at == bytes.count)
            }
            #expect(names.count == 402 && Set(names).count == 402)
            #expect(bare < 50, "\(bare)")
        }
    }

    @Test func forgettingTakesNoAnswer() throws {
        let fixture = try Self.fixture()
        let node = try fixture.node("d/file")
        #expect(try fixture.ask(Opcode.forget, node, QuickFixture.bytes(UInt64(3))).0 == .silent)
        let many = QuickFixture.bytes(UInt64(1000)) + QuickFixture.bytes(node) + QuickFixture.bytes(UInt64(1))
        #expect(try fixture.ask(Opcode.batchForget, 0, many).0 == .silent)
        #expect(try fixture.ask(Opcode.batchForget, 0, []).0 == .silent)
    }

    /// Every opcode, with no body, cut ones and wild ones, for good nodes and bad ones.
    @Test func hostileRequestsAreRefused() throws {
        let fixture = try Self.fixture()
        let nodes = [try fixture.node("d"), try fixture.node("d/file"), 0, 1, 2, 3, 1 << 40, 1 << 63, .max]
        let wild: [[UInt8]] = [
            [], [0], [UInt8](repeating: 0xFF, count: 39), [UInt8](repeating: 0xFF, count: 40),
            [UInt8](repeating: 0x41, count: 300), [UInt8](repeating: 0x41, count: 300) + [0],
            QuickFixture.reading(.max, .max), QuickFixture.reading(3, 0),
        ]
        for opcode in (UInt32(0)...60).filter({ $0 != Opcode.initialize }) {
            for node in nodes {
                for body in wild { _ = try fixture.ask(opcode, node, body) }
            }
        }
        let directory = try fixture.node("d")
        #expect(try fixture.ask(Opcode.lookup, directory, []).0 == .failed(.invalidArgument))
        #expect(try fixture.ask(Opcode.lookup, directory, wild[4]).0 == .failed(.invalidArgument))
        #expect(try fixture.ask(Opcode.lookup, directory, wild[5]).0 == .failed(.fileNameTooLong))
        for count in 0..<20 {
            let cut = Array(QuickFixture.reading(0, 4096)[..<count])
            for opcode in [Opcode.read, Opcode.readdir, Opcode.readdirplus] {
                #expect(try fixture.ask(opcode, directory, cut).0 == .failed(.invalidArgument))
            }
        }
    }

    @Test func anAnswerNeverOutgrowsItsMemory() throws {
        var answer = WireAnswer()
        answer.start()
        answer.appendZeros(WireAnswer.largestBody - 3)
        answer.append(UInt64(1))
        #expect(answer.bodyCount == WireAnswer.largestBody - 3 && answer.room == 3)
        answer.start()
        #expect(answer.room == WireAnswer.largestBody)
    }
}
