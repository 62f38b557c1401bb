import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaTestSupport
import Testing

/// What the tars of layers may hold, from the tar's bytes to the index.
@Suite struct TarFeatureTests {
    private func text(_ number: Int) -> [UInt8] { Array("\(number)".utf8) }

    @Test func numbersOfEverySize() throws {
        var tar = TarBuilder()
        tar.addPax([
            ("uid", text(4_294_967_295)), ("gid", text(4_294_967_294)), ("mtime", Array("-0.000000001".utf8)),
        ])
        tar.add("pax")
        tar.addPax([("mtime", Array("253402300800.999999999999".utf8))])
        tar.add("late")
        tar.add("base256") { header in
            TarBuilder.put([0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFE], in: &header, at: 108)
            TarBuilder.put(
                [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0, 0, 0, 0], in: &header, at: 136)
        }
        tar.add("fields") { header in
            // Without terminator, and padded with spaces.
            TarBuilder.put(Array("77777777".utf8), in: &header, at: 108)
            TarBuilder.put(Array("   17 \u{0}".utf8), in: &header, at: 116)
            TarBuilder.put(Array("777777777777".utf8), in: &header, at: 136)
        }
        let layer = try StoredLayer(tar.bytes)
        let pax = try #require(try layer.node("pax"))
        #expect(pax.uid == 4_294_967_295 && pax.gid == 4_294_967_294)
        #expect(pax.mtime == Timestamp(seconds: -1, nanoseconds: 999_999_999))
        #expect(
            try layer.node("late")?.mtime == Timestamp(seconds: 253_402_300_800, nanoseconds: 999_999_999))
        let wide = try #require(try layer.node("base256"))
        #expect(wide.uid == 4_294_967_294 && wide.mtime == Timestamp(seconds: -(2 << 32)))
        let fields = try #require(try layer.node("fields"))
        #expect(fields.uid == 0o77_777_777 && fields.gid == 0o17)
        #expect(fields.mtime == Timestamp(seconds: 0o777_777_777_777))
    }

    /// A payload of 20 GiB, in base 256 and by a PAX record, passes the parser in any amount.
    @Test(arguments: [true, false])
    func sizesBeyondOctal(_ inPax: Bool) throws {
        let size: UInt64 = 20 << 30
        var tar = TarBuilder()
        if inPax { tar.addPax([("size", Array("\(size)".utf8))]) }
        tar.add("huge", size: 0) { header in
            if inPax { return }
            TarBuilder.put([0x80, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0], in: &header, at: 124)
        }
        var parser = TarParser()
        var cursor = 0
        guard case .entry(let entry) = try parser.next(in: tar.bytes.span, at: &cursor) else {
            Issue.record("no entry")
            return
        }
        #expect(entry.size == size && cursor == tar.bytes.count)
        let chunk = [UInt8](repeating: 0, count: 64 << 20)
        for _ in 0..<size / UInt64(chunk.count) {
            var cursor = 0
            guard case .payload(0..<67_108_864) = try parser.next(in: chunk.span, at: &cursor) else {
                Issue.record("no payload")
                return
            }
        }
        var end = 0
        guard case .endOfEntry = try parser.next(in: chunk.span, at: &end) else {
            Issue.record("no end")
            return
        }
        try parser.finish()
        #expect(parser.offset == size + UInt64(tar.bytes.count))
    }

    @Test func namesOfEveryKind() throws {
        let odd: [UInt8] = [0x66, 0xFF, 0x80, 0x0A, 0x22, 0x5C]
        let long =
            Array(repeating: String(repeating: "n", count: 255), count: 15).joined(separator: "/") + "/a/"
        let path = long + String(repeating: "m", count: 4096 - long.utf8.count)
        let prefixed = String(repeating: "p", count: 154)
        var tar = TarBuilder()
        for charset in ["BINARY", "ISO-IR 10646 2000 UTF-8", "ISO-IR 8859 1 1998", ""] {
            tar.addPax([("hdrcharset", Array(charset.utf8)), ("path", Array("\(charset.count)".utf8) + odd)])
            tar.add("short")
        }
        tar.addPax([("path", Array(path.utf8))])
        tar.add("short", [1])
        tar.add("././@LongLink", type: "L", Array(path.utf8.dropLast()) + [UInt8(ascii: "x"), 0])
        tar.add("short", [2])
        tar.add("file") { TarBuilder.put(Array(prefixed.utf8), in: &$0, at: 345) }
        tar.add("raw") { TarBuilder.put(odd, in: &$0, at: 0) }
        tar.add("v7", [3]) { TarBuilder.put([UInt8](repeating: 0, count: 8), in: &$0, at: 257) }
        let layer = try StoredLayer(tar.bytes)
        for charset in ["BINARY", "ISO-IR 10646 2000 UTF-8", "ISO-IR 8859 1 1998", ""] {
            #expect(try layer.node(ByteString(Array("\(charset.count)".utf8) + odd)) != nil, "\(charset)")
        }
        #expect(try layer.bytes(ByteString(path)) == [1])
        #expect(try layer.bytes(ByteString(path.dropLast() + "x")) == [2])
        #expect(try layer.node(ByteString("\(prefixed)/file")) != nil)
        #expect(try layer.node(ByteString(odd)) != nil && layer.bytes("v7") == [3])
        #expect(try layer.tar() == tar.bytes)
    }

    @Test func linksDevicesAndRepeats() throws {
        var tar = TarBuilder()
        tar.add("deep/er/file", [1])
        tar.add("deep/link", type: "1", link: "./deep/er/file")
        tar.add("lower", type: "1", link: "usr/lib/of/lower/layer")
        tar.add("again", [2])
        tar.add("again", type: "2", link: "elsewhere")
        tar.add("again", [3, 3])
        tar.add("dir/", type: "5", mode: 0o700)
        tar.add("dir/kept", [4])
        tar.add("dir", type: "5", mode: 0o1777)
        for (name, type) in [("char", "3"), ("block", "4"), ("pipe", "6")] as [(String, Character)] {
            tar.add(name, type: type) { header in
                TarBuilder.put(TarBuilder.octal(4095, 7), in: &header, at: 329)
                TarBuilder.put(TarBuilder.octal(1_048_575, 7), in: &header, at: 337)
            }
        }
        tar.end()
        let layer = try StoredLayer(tar.bytes)
        #expect(try layer.node("deep/link")?.linkCount == 2 && layer.bytes("deep/link") == [1])
        let implied = try #require(try layer.node("deep/er"))
        #expect(implied.mode == 0o40755 && implied.uid == 0 && implied.mtime == Timestamp(seconds: 0))
        let lower = try #require(try layer.node("lower"))
        #expect(lower.type == .regular && lower.size == 0 && lower.hasExtendedAttributes)
        #expect(try layer.bytes("again") == [3, 3])
        #expect(try layer.node("dir")?.mode == 0o41777 && layer.bytes("dir/kept") == [4])
        let device = DeviceNumber(major: 4095, minor: 1_048_575)
        #expect(try layer.node("char")?.device == device && layer.node("block")?.device == device)
        #expect(try layer.node("block")?.type == .blockDevice && layer.node("pipe")?.type == .fifo)
    }

    @Test func xattrsOfBothSpellings() throws {
        var tar = TarBuilder()
        tar.addPax([("SCHILY.xattr.user.global", [1]), ("SCHILY.xattr.user.both", [1])], type: "g")
        tar.addPax([
            ("LIBARCHIVE.xattr.user.%C3%A9", Array("/+8=".utf8)), ("SCHILY.xattr.user.both", [0, 10, 61]),
            ("LIBARCHIVE.xattr.user.both", Array("AQ".utf8)),
            ("SCHILY.xattr.security.capability", [1, 0, 0, 2]),
            ("SCHILY.acl.access", Array("user::rwx".utf8)), ("VENDOR.unknown", [0xFF]),
        ])
        tar.add("f", [1])
        let layer = try StoredLayer(tar.bytes)
        let nid = try #require(try layer.node("f")).nid
        let found = try layer.shared.tree.extendedAttributes(nid)
        let pairs = Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.value) })
        #expect(
            pairs == [
                "user.global": [1], "user.both": [0, 10, 61], "security.capability": [1, 0, 0, 2],
                ByteString("user.é"): [0xFF, 0xEF],
            ])
    }

    /// Zeros or rubbish behind the end, one block of zeros, none, half a block, cut padding.
    @Test func endsOfEveryKind() throws {
        var tar = TarBuilder()
        tar.add("small", [1, 2, 3])
        tar.add("large", noise(65_537, seed: 1))
        let block = [UInt8](repeating: 0, count: 512)
        let rubbish = noise(100_001, seed: 2)
        for end in [
            [], block, block + block, block + block + block, block + block + rubbish, Array(block.prefix(9)),
        ] {
            let layer = try StoredLayer(compress(tar.bytes + end, .gzip))
            #expect(try layer.tar() == tar.bytes + end && layer.bytes("large") == noise(65_537, seed: 1))
        }
        let cut = Array(tar.bytes.dropLast(500))
        #expect(try StoredLayer(cut).tar() == cut)
    }
}
