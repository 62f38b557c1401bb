import LaminaCore
import Testing

/// The list of redirects that a mount's server reads: what goes in comes out, and nothing else does.
@Suite struct RedirectListTests {
    private static let sample: [PlacedRedirect] = {
        var bind = Redirect(.bind, source: "/src/\u{e9}", target: "/etc/hosts")
        bind.readOnly = true
        bind.consistency = .consistent
        bind.allowsSpecial = true
        var volume = Redirect(.volume, source: "data", target: "/d")
        volume.subpath = "a/b"
        volume.noCopy = true
        volume.isAnonymous = true
        var tmpfs = Redirect(.tmpfs, target: "/t")
        tmpfs.size = 1 << 40
        tmpfs.permissions = 0o1700
        return [
            PlacedRedirect(bind, place: "/src/\u{e9}"),
            PlacedRedirect(volume, place: "/store/volumes/data/_data"),
            PlacedRedirect(tmpfs, place: ByteString()),
            PlacedRedirect(Redirect(.image, source: "sha256:x", target: "/i"), place: "abc"),
        ]
    }()

    @Test func comesOutAsItWentIn() throws {
        #expect(try RedirectList.decode(RedirectList.encode(Self.sample)) == Self.sample)
        #expect(try RedirectList.decode(RedirectList.encode([])) == [])
        // Every byte is part of the format: a change of it needs another version.
        let bytes = RedirectList.encode([Self.sample[2]])
        #expect(
            bytes.prefix(20).elementsEqual(Array("LAMREDIR".utf8) + [1, 0, 0, 0, 1, 0, 0, 0, 2, 0xC0, 0, 0]))
        #expect(bytes.count == 16 + 16 + 2 * 4 + 2 + 8)
    }

    @Test func refusesEveryDamage() throws {
        let bytes = RedirectList.encode(Self.sample)
        for length in 0..<bytes.count {
            #expect(throws: RedirectListError.self) { try RedirectList.decode(Array(bytes[..<length])) }
        }
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1 << UInt8(index % 8)
            #expect(throws: RedirectListError.self, "byte \(index)") { try RedirectList.decode(damaged) }
        }
        #expect(throws: RedirectListError.self) { try RedirectList.decode(bytes + [0]) }
        var other = bytes
        other[8] = 2
        #expect(throws: RedirectListError.unsupportedVersion(2)) { try RedirectList.decode(other) }
    }

    /// What a right checksum does not make right.
    @Test func refusesWhatNoEngineWrites() throws {
        func refuses(_ redirect: Redirect, place: ByteString) -> Bool {
            (try? RedirectList.decode(RedirectList.encode([PlacedRedirect(redirect, place: place)]))) == nil
        }
        #expect(!refuses(Redirect(.bind, source: "/a", target: "/b"), place: "/a"))
        for target: ByteString in [
            "", "/", "b", "/b/..", "/./b", "/" + ByteString(repeatElement(0x61, count: 256)),
        ] {
            #expect(refuses(Redirect(.bind, source: "/a", target: target), place: "/a"), "\(target)")
        }
        for place: ByteString in ["", "a", "/a/../b"] {
            #expect(refuses(Redirect(.bind, source: "/a", target: "/b"), place: place), "\(place)")
        }
        var volume = Redirect(.volume, source: "v", target: "/b")
        volume.subpath = "/etc"
        #expect(refuses(volume, place: "/v"))
        let many = (0...Limits.redirectsPerSandbox).map {
            PlacedRedirect(Redirect(.tmpfs, target: ByteString("/\($0)")), place: ByteString())
        }
        #expect(throws: RedirectListError.self) { try RedirectList.decode(RedirectList.encode(many)) }
    }
}
