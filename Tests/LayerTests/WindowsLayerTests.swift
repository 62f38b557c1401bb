import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaTestSupport
import Testing

/// Layers of Windows images, as Microsoft's `go-winio/backuptar` and `hcsshim/ociwclayer` write them: PAX,
/// below `Files`, `Hives` and `UtilityVM`, with attributes and security descriptors in `MSWINDOWS.` records.
@Suite struct WindowsLayerTests {
    /// A self-relative security descriptor in base64; no reader of ours looks inside.
    private static let descriptor = Array("AQAUgBQAAAAkAAAAAAAAAAAAAAABAgAAAAAABSAAAAAgAgAA".utf8)

    private static func records(_ attributes: Int, _ more: [(String, [UInt8])] = []) -> [(String, [UInt8])] {
        [
            ("LIBARCHIVE.creationtime", Array("-11644473600.123456700".utf8)),
            ("MSWINDOWS.fileattr", Array("\(attributes)".utf8)),
            ("MSWINDOWS.rawsd", descriptor),
            ("mtime", Array("1700000000.1234567".utf8)),
        ] + more
    }

    private static func layer() -> [UInt8] {
        var tar = TarBuilder()
        func add(
            _ name: String, _ type: Character = "0", _ payload: [UInt8] = [], link: String = "",
            attributes: Int = 32, _ more: [(String, [UInt8])] = []
        ) {
            tar.addPax(records(attributes, more))
            tar.add(name, type: type, payload, link: link, mode: type == "5" ? 0o755 : 0o644)
        }
        for name in ["Files", "Files/Windows", "Files/Windows/System32", "Files/Program Files (x86)"] {
            add(name, "5", attributes: 16)
        }
        add("Files/Windows/System32/ntdll.dll", "0", noise(150_000, seed: 1))
        add("Files/Windows/System32/NTDLL.DLL", "0", [1])
        // An alternate data stream (without records, as the writer has it), an extended attribute, a mount point, a link with a drive.
        add("Files/Windows/notes.txt", "0", Array("text".utf8))
        tar.add("Files/Windows/notes.txt:Zone.Identifier", Array("[ZoneTransfer]".utf8))
        add("Files/ea.bin", "0", [2], [("MSWINDOWS.xattr.$KERNEL.PURGE.ESBCACHE", Array("AAECAw==".utf8))])
        add("Files/Documents and Settings", "2", link: "C:\\Users", attributes: 9238)
        add(
            "Files/mount", "2", link: "//?/Volume{00000000-0000-0000-0000-000000000001}/", attributes: 1040,
            [("MSWINDOWS.mountpoint", [UInt8(ascii: "1")])])
        add("Files/linked.dll", "1", link: "Files/Windows/System32/ntdll.dll")
        add("Files/.wh.removed.txt")
        for name in ["DefaultUser_Delta", "Sam_Delta", "Security_Delta", "Software_Delta", "System_Delta"] {
            add("Hives/\(name)", "0", Array("regf".utf8) + noise(8188, seed: 2))
        }
        add("UtilityVM/Files/EFI/Microsoft/Boot/BCD", "0", noise(70_000, seed: 3))
        tar.end()
        return tar.bytes
    }

    @Test(arguments: [Compression.gzip, .zstd, .none])
    func comesBackBitForBit(_ compression: Compression) throws {
        let tar = Self.layer()
        let layer = try StoredLayer(compress(tar, compression))
        #expect(layer.summary.diffID == sha256(tar) && layer.summary.objects.count == 2)
        #expect(try layer.tar() == tar)
        try layer.store.verifyLayer(sha256(tar))
    }

    @Test func theIndexHoldsTheTreeAsItStands() throws {
        let layer = try StoredLayer(Self.layer())
        #expect(
            try layer.paths() == [
                "Files/", "Files/Documents and Settings", "Files/Program Files (x86)/", "Files/Windows/",
                "Files/Windows/System32/", "Files/Windows/System32/NTDLL.DLL",
                "Files/Windows/System32/ntdll.dll", "Files/Windows/notes.txt",
                "Files/ea.bin", "Files/linked.dll", "Files/mount",
                "Files/removed.txt", "Hives/", "Hives/DefaultUser_Delta", "Hives/Sam_Delta",
                "Hives/Security_Delta", "Hives/Software_Delta", "Hives/System_Delta", "UtilityVM/",
                "UtilityVM/Files/", "UtilityVM/Files/EFI/", "UtilityVM/Files/EFI/Microsoft/",
                "UtilityVM/Files/EFI/Microsoft/Boot/", "UtilityVM/Files/EFI/Microsoft/Boot/BCD",
            ])
        let library = try #require(try layer.node("Files/Windows/System32/ntdll.dll"))
        #expect(library.mtime == Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_700))
        #expect(try layer.node("Files/linked.dll")?.nid == library.nid && library.linkCount == 2)
        #expect(try layer.bytes("Files/Windows/System32/ntdll.dll") == noise(150_000, seed: 1))
        #expect(try layer.bytes("Files/Windows/System32/NTDLL.DLL") == [1])
        #expect(try layer.node("Files/removed.txt")?.isWhiteout == true)
        let settings = try #require(try layer.node("Files/Documents and Settings"))
        #expect(try layer.shared.tree.symlinkTarget(settings.nid) == "/Users")
        let attributes = try layer.shared.tree.extendedAttributes(library.nid)
        #expect(attributes.map(\.name) == ["user.mswindows.fileattr", "user.mswindows.rawsd"])
        #expect(attributes.map(\.value) == [Array("32".utf8), Self.descriptor])
        let notes = try #require(try layer.node("Files/Windows/notes.txt"))
        let stream = try layer.shared.tree.extendedAttributes(notes.nid).last
        #expect(stream?.name == "user.mswindows.stream.Zone.Identifier")
        #expect(stream?.value == Array("[ZoneTransfer]".utf8))
        // Linux has none on symlinks.
        #expect(try layer.shared.tree.extendedAttributes(settings.nid).isEmpty)
    }
}
