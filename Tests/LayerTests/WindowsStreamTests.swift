import Glibc
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaTestSupport
import Testing

/// Alternate data streams of Windows layers: each is written behind its file, which shows it as an xattr. The tar
/// comes back as it was in any case.
@Suite struct WindowsStreamTests {
    private static let prefix = "user.mswindows.stream."

    private func layer(_ build: (inout TarBuilder) -> Void) throws -> StoredLayer {
        var tar = TarBuilder()
        build(&tar)
        tar.end()
        let layer = try StoredLayer(tar.bytes)
        #expect(try layer.tar() == tar.bytes)
        return layer
    }

    private func owner(
        _ tar: inout TarBuilder, _ name: String, _ type: Character = "0", _ payload: [UInt8] = []
    ) {
        tar.addPax([("MSWINDOWS.fileattr", Array("32".utf8))])
        tar.add(name, type: type, payload)
    }

    private func streams(_ layer: StoredLayer, _ path: ByteString) throws -> [String: [UInt8]] {
        let node = try #require(try layer.node(path), "\(path)")
        let attributes = try layer.shared.tree.extendedAttributes(node.nid)
        #expect(Set(attributes.map(\.name)).count == attributes.count)
        return Dictionary(
            uniqueKeysWithValues: attributes.compactMap { attribute in
                let name = "\(attribute.name)"
                return name.hasPrefix(Self.prefix)
                    ? (String(name.dropFirst(Self.prefix.count)), attribute.value) : nil
            })
    }

    /// Of files in the stream and of objects, of directories, empty ones, several, the longest that an xattr holds.
    @Test func areXattrsOfTheirOwner() throws {
        let longest = noise(Limits.extendedAttributeValueLength, seed: 1)
        let layer = try layer { tar in
            owner(&tar, "Files", "5")
            owner(&tar, "Files/a.txt", "0", Array("text".utf8))
            tar.add("Files/a.txt:Zone.Identifier", Array("[ZoneTransfer]".utf8))
            tar.add("Files/a.txt:empty")
            tar.add("Files/a.txt:longest", longest)
            owner(&tar, "Files/big", "0", noise(100_000, seed: 2))
            tar.add("Files/big:s", [1, 2, 3])
            owner(&tar, "Files/dir/", "5")
            tar.add("Files/dir:s", [4])
            owner(&tar, "Files/dir/in", "0", [5])
        }
        #expect(
            try streams(layer, "Files/a.txt") == [
                "Zone.Identifier": Array("[ZoneTransfer]".utf8), "empty": [], "longest": longest,
            ])
        #expect(try layer.bytes("Files/a.txt") == Array("text".utf8))
        #expect(try streams(layer, "Files/big") == ["s": [1, 2, 3]])
        #expect(try layer.bytes("Files/big") == noise(100_000, seed: 2))
        #expect(try streams(layer, "Files/dir") == ["s": [4]] && streams(layer, "Files/dir/in").isEmpty)
        #expect(try layer.paths() == ["Files/", "Files/a.txt", "Files/big", "Files/dir/", "Files/dir/in"])
    }

    /// What no xattr can hold, or is no stream of the entry before it, stays a file.
    @Test func othersStayFiles() throws {
        let long = String(repeating: "n", count: 234)
        let layer = try layer { tar in
            owner(&tar, "a", "0", [1])
            tar.add("a:large", noise(Limits.extendedAttributeValueLength + 1, seed: 3))
            tar.add("a:" + String(long.prefix(97)), [2])
            tar.add("a:", [3])
            owner(&tar, "b", "0", [4])
            tar.add("a:late", [5])
            // Not of Windows.
            tar.add("c", [6])
            tar.add("c:s", [7])
            // Linux has no such xattrs on symlinks.
            tar.addPax([("MSWINDOWS.fileattr", Array("9238".utf8))])
            tar.add("l", type: "2", link: "a")
            tar.add("l:s", [8])
            // A name too long for an xattr, but none for a file.
            owner(&tar, "d", "0", [9])
            tar.addPax([("path", Array("d:\(long)".utf8))])
            tar.add("d", [10])
        }
        #expect(try streams(layer, "a") == [String(long.prefix(97)): [2]])
        #expect(try layer.bytes("a:large").count == Limits.extendedAttributeValueLength + 1)
        #expect(try layer.bytes("a:") == [3] && layer.bytes("a:late") == [5] && layer.bytes("c:s") == [7])
        #expect(try layer.bytes("l:s") == [8] && layer.bytes(ByteString("d:\(long)")) == [10])
        for path: ByteString in ["b", "c", "d"] { #expect(try streams(layer, path).isEmpty) }
    }

    /// More than an inode can have: the rest are files, and nothing is lost.
    @Test func manyStreams() throws {
        let layer = try layer { tar in
            owner(&tar, "a", "0", [1])
            for number in 0..<6 { tar.add("a:\(number)", noise(60_000, seed: UInt64(number))) }
            // The same name again.
            tar.add("a:0", [9])
        }
        let kept = try streams(layer, "a")
        #expect(kept.count == 4)
        for number in 0..<6 {
            let bytes = try kept["\(number)"] ?? layer.bytes(ByteString("a:\(number)"))
            #expect(bytes == noise(60_000, seed: UInt64(number)))
        }
        #expect(try layer.bytes("a:0") == [9])
    }

    /// All streams of a layer are kept in memory until its index is written, and so are bounded.
    @Test func boundsMemory() throws {
        var tar = TarBuilder()
        owner(&tar, "a", "0", [1])
        tar.add("a:1", noise(3_000, seed: 1))
        tar.add("a:2", noise(3_000, seed: 2))
        tar.end()
        var limits = IngestLimits()
        limits.metadataSize = 16_000
        let layer = try StoredLayer(tar.bytes, limits: limits)
        #expect(try streams(layer, "a").keys.sorted() == ["1"])
        #expect(try layer.bytes("a:2") == noise(3_000, seed: 2))
    }
}
