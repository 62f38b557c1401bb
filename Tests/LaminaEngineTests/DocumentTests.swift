import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

@testable import LaminaEngine

@Suite struct DocumentTests {
    @Test func chainIDsFollowTheSpecification() throws {
        let one = sha256([1])
        let two = sha256([2])
        #expect(ChainID.of([]) == nil)
        #expect(ChainID.of([one]) == one)
        #expect(ChainID.of([one, two]) == sha256(Array("\(one) \(two)".utf8)))
        let three = try #require(ChainID.of([one, two, one]))
        #expect(three == sha256(Array("\(sha256(Array("\(one) \(two)".utf8))) \(one)".utf8)))
    }

    @Test(arguments: [
        ("application/vnd.oci.image.layer.v1.tar", Compression.none),
        ("application/vnd.oci.image.layer.v1.tar+gzip", .gzip),
        ("application/vnd.oci.image.layer.v1.tar+zstd", .zstd),
        ("application/vnd.oci.image.layer.v1.tar+lz4", .lz4),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", .gzip),
        ("application/vnd.docker.image.rootfs.diff.tar", .none),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", .gzip),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", .gzip),
    ])
    func mediaTypesSayTheCompression(_ type: String, _ compression: Compression) {
        #expect(MediaType.layerCompression(type) == compression)
        #expect(MediaType.layerCompression(type + "+encrypted") == nil)
    }

    @Test(arguments: [
        ("", "is not valid JSON"),
        ("[]", "the document has the wrong type"),
        ("{}", "manifests is missing"),
        ("{\"manifests\":{}}", "manifests has the wrong type"),
        ("{\"manifests\":[{\"size\":1}]}", "manifests.[0].digest is missing"),
        ("{\"manifests\":[{\"digest\":\"md5:x\",\"size\":1}]}", "\"md5:x\" is not a sha256 digest"),
        (
            "{\"manifests\":[{\"digest\":\"sha256:\(String(repeating: "0", count: 64))\",\"size\":-1}]}",
            "negative"
        ),
    ])
    func namesTheFieldAtFault(_ json: String, _ reason: String) {
        #expect {
            _ = try DocumentParsing.parse(ImageIndex.self, from: Array(json.utf8), named: "index.json")
        } throws: { error in
            guard let error = error as? LaminaError else { return false }
            return error.code == .badInput && error.message.hasPrefix("index.json: ")
                && error.message.contains(reason)
        }
    }

    @Test func documentsAreBounded() {
        let large = [UInt8](repeating: UInt8(ascii: " "), count: Limits.documentSize + 1)
        #expect(throws: LaminaError.self) {
            _ = try DocumentParsing.parse(ImageIndex.self, from: large, named: "x")
        }
    }

    @Test(arguments: [
        ("a/layer.tar", "../b.tar", "b.tar"), ("a/layer.tar", "../b/./layer.tar", "b/layer.tar"),
        ("layer.tar", "x/../y.tar", "y.tar"), ("a/layer.tar", "../../b.tar", nil),
        ("layer.tar", "/b.tar", nil),
    ])
    func linksStayInTheArchive(_ path: String, _ target: String, _ result: String?) {
        let entry = TarEntry(
            path: ByteString(path), kind: .symlink(target: ByteString(target)),
            attributes: FileAttributes(type: .symlink, permissions: 0o777))
        #expect(MemberName.linkTarget(of: entry) == result.map { ByteString($0) })
    }

    @Test func namesForSandboxes() {
        for attempt in 0..<50 { #expect(NameGenerator.isValid(NameGenerator.name(attempt: attempt))) }
        for name in ["", "a", "-a", "a b", "a/b", "é1", String(repeating: "a", count: 129)] {
            #expect(!NameGenerator.isValid(name), "\(name)")
        }
    }

    @Test func theRootWhenNobodySays() {
        #expect(Engine.defaultRoot(environment: ["LAMINA_ROOT": "/x"], isRoot: true) == "/x")
        #expect(Engine.defaultRoot(environment: ["HOME": "/h"], isRoot: true) == "/var/lib/lamina")
        #expect(Engine.defaultRoot(environment: ["HOME": "/h"], isRoot: false) == "/h/.local/share/lamina")
        let data = ["HOME": "/h", "XDG_DATA_HOME": "/d", "LAMINA_ROOT": ""]
        #expect(Engine.defaultRoot(environment: data, isRoot: false) == "/d/lamina")
    }
}
