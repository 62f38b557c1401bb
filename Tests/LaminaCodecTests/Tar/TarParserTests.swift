import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

@Suite struct TarParserTests {
    @Test(arguments: [1, 7, 511, 512, 513, 1 << 20])
    func readsTheSameInAnyChunks(_ step: Int) throws {
        var tar = TarBuilder()
        tar.add("./d/", type: "5", mode: 0o750)
        tar.add("d//./f", noise(1000, seed: 1))
        tar.addPax([("mtime", Array("-1.25".utf8)), ("SCHILY.xattr.user.a", [0, 10, 255])])
        tar.add("d/p", [9])
        tar.add("d/s", type: "2", link: "/abs/../x")
        tar.add("d/h", type: "1", link: "./d/f")
        tar.end()
        tar.addRaw(noise(3000, seed: 2))
        let entries = try parse(tar.bytes, step: step)
        #expect(entries.map(\.entry.path) == ["d", "d/f", "d/p", "d/s", "d/h"])
        #expect(entries[0].entry.kind == .directory && entries[0].entry.attributes.permissions == 0o750)
        #expect(entries[1].payload == noise(1000, seed: 1))
        #expect(entries[1].entry.attributes.uid == 1000 && entries[1].entry.attributes.gid == 100)
        #expect(entries[2].entry.attributes.mtime == Timestamp(seconds: -2, nanoseconds: 750_000_000))
        #expect(
            entries[2].entry.extendedAttributes == [ExtendedAttribute(name: "user.a", value: [0, 10, 255])])
        #expect(entries[3].entry.kind == .symlink(target: "/abs/../x"))
        #expect(
            entries[4].entry.kind == .hardLink(target: "d/f") && entries[4].entry.extendedAttributes.isEmpty)
    }

    @Test func readsPaxValues() throws {
        let long = String(repeating: "n", count: 200)
        let path = String(repeating: long + "/", count: 20) + "end"
        var tar = TarBuilder()
        tar.addPax([("uid", Array("4000000000".utf8)), ("mtime", Array("7.5".utf8))], type: "g")
        tar.addPax([
            ("path", Array(path.utf8)), ("size", Array("3".utf8)), ("gid", Array("70000".utf8)),
            ("LIBARCHIVE.xattr.user.%41b", Array("AAEC/w".utf8)), ("hdrcharset", Array("BINARY".utf8)),
            ("mtime", []),
        ])
        tar.add("short", [1, 2, 3], size: 0)
        tar.addPax([("linkpath", [0x66, 0xFF])])
        tar.add("link", type: "2", link: "other")
        let entries = try parse(tar.bytes)
        #expect(entries.map(\.entry.path) == [ByteString(path), "link"])
        #expect(entries[0].payload == [1, 2, 3])
        #expect(entries[0].entry.attributes.uid == 4_000_000_000 && entries[0].entry.attributes.gid == 70_000)
        #expect(entries[0].entry.attributes.mtime == Timestamp(seconds: 1_500_000_000))
        #expect(
            entries[0].entry.extendedAttributes == [
                ExtendedAttribute(name: "user.Ab", value: [0, 1, 2, 255])
            ])
        #expect(entries[1].entry.kind == .symlink(target: ByteString([0x66, 0xFF])))
        #expect(entries[1].entry.attributes.mtime == Timestamp(seconds: 7, nanoseconds: 500_000_000))
    }

    @Test func readsGnuValues() throws {
        let path = String(repeating: "dir/", count: 100) + "file"
        var tar = TarBuilder()
        tar.add("././@LongLink", type: "L", Array(path.utf8) + [0])
        tar.add("././@LongLink", type: "K", Array("target".utf8) + [0, 65])
        tar.add("cut", type: "2", link: "cut")
        tar.add("base256") { header in
            TarBuilder.put([0x80, 0, 0, 0, 0xEE, 0x6B, 0x28, 0], in: &header, at: 108)
            TarBuilder.put([UInt8](repeating: 0xFF, count: 12), in: &header, at: 136)
        }
        tar.add("dev", type: "3") { header in
            TarBuilder.put(TarBuilder.octal(259, 7), in: &header, at: 329)
            TarBuilder.put(TarBuilder.octal(1_048_575, 7), in: &header, at: 337)
        }
        tar.add("list", type: "D", noise(600, seed: 3))
        tar.add("fifo", type: "6")
        let entries = try parse(tar.bytes)
        #expect(entries.map(\.entry.path) == [ByteString(path), "base256", "dev", "list", "fifo"])
        #expect(entries[0].entry.kind == .symlink(target: "target"))
        #expect(entries[1].entry.attributes.uid == 4_000_000_000)
        #expect(entries[1].entry.attributes.mtime == Timestamp(seconds: -1))
        #expect(entries[2].entry.attributes.device == DeviceNumber(major: 259, minor: 1_048_575))
        #expect(entries[3].entry.kind == .directory && entries[3].payload.isEmpty)
        #expect(entries[4].entry.attributes.type == .fifo)
    }

    @Test func acceptsMissingEnds() throws {
        var tar = TarBuilder()
        tar.add("f", [1, 2, 3])
        #expect(try parse(tar.bytes).count == 1)
        #expect(try parse(Array(tar.bytes.prefix(515))).count == 1)
        #expect(try parse(tar.bytes + [UInt8](repeating: 0, count: 512)).count == 1)
        #expect(try parse(tar.bytes + [UInt8](repeating: 0, count: 10)).count == 1)
        #expect(try parse([]).isEmpty)
    }

    @Test func refusesNamesThatLeave() {
        func one(_ name: String, type: Character = "0", link: String = "") -> [UInt8] {
            var tar = TarBuilder()
            tar.add(name, type: type, link: link)
            return tar.bytes
        }
        #expect(refusal(one("..")) == .parentReference(".."))
        #expect(refusal(one("a/../b")) == .parentReference("a/../b"))
        #expect(refusal(one("/etc/passwd")) == .absoluteName("/etc/passwd"))
        #expect(refusal(one("a", type: "1", link: "../b")) == .parentReference("../b"))
        #expect(refusal(one("a", type: "1", link: "/b")) == .absoluteName("/b"))
        #expect(refusal(one("a", type: "1", link: "./a")) == .hardLinkToItself("a"))
        #expect(refusal(one("a", type: "2")) == .emptyLinkTarget("a"))
        #expect(refusal(one("./")) == .emptyName)
        #expect(refusal(one("/", type: "5")) == nil)
        #expect(refusal(one("..a/...", type: "5")) == nil)
    }

    @Test func refusesWhatIsTooLong() throws {
        func pax(_ path: String) -> [UInt8] {
            var tar = TarBuilder()
            tar.addPax([("path", Array(path.utf8))])
            tar.add("x")
            return tar.bytes
        }
        let name = String(repeating: "n", count: 255)
        #expect(try parse(pax(name)).count == 1)
        #expect(refusal(pax(name + "n")) == .nameTooLong(ByteString(name + "n")))
        let path = String(repeating: "nn/", count: 1365) + "n"
        #expect(try parse(pax(path)).first?.entry.path.count == 4096)
        #expect(refusal(pax(path + "n")) == .pathTooLong(ByteString(Array(path.utf8.prefix(64)))))
        #expect(refusal(pax(String(repeating: name, count: 100))) != nil)
    }
}
