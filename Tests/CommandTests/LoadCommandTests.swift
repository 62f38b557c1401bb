import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

@Suite struct LoadCommandTests {
    @Test(arguments: Compression.allCases)
    func loadsALayoutOfEachCompression(_ compression: Compression) throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(TestImage.sample(compression).layout, named: "sample")
        let run = try lamina.run("load", "-i", layout)
        #expect(run.lines == ["Loaded image: sample:latest"])
        // Not on a terminal: one line a layer.
        #expect(run.errorLines.count == 2 && run.errorLines.allSatisfy { $0.hasSuffix(": Loaded") }, "\(run)")
        let again = try lamina.run("load", "-i", layout)
        #expect(again.lines == run.lines)
        #expect(again.errorLines.allSatisfy { $0.hasSuffix(": Already exists") }, "\(again)")
    }

    @Test(arguments: Compression.allCases)
    func loadsAnArchiveOfEachCompression(_ compression: Compression) throws {
        let lamina = try LaminaProgram()
        let tar = compress(TestImage.sample().layout.tar, compression)
        let path = try lamina.file(tar, named: "archive.tar")
        #expect(try lamina.lines("load", "-q", "-i", path) == ["Loaded image: archive:latest"])
        // A stream has no name to give.
        let streamed = try lamina.lines("load", "-q", "-i", "-", input: ByteString(path))
        #expect(streamed.count == 1 && streamed[0].hasPrefix("Loaded image ID: sha256:"))
        #expect(try lamina.storeFiles().allSatisfy { !$0.hasPrefix("ingest/") })
    }

    /// What is known is not read: its bytes may even be gone. What is not known is read and verified.
    @Test(arguments: [true, false])
    func knownLayersAreNotRead(_ keepsBlobs: Bool) throws {
        let lamina = try LaminaProgram()
        let flags = keepsBlobs ? [] : ["--no-blobs"]
        func load(_ input: String) throws -> CommandRun {
            try CommandRun.run(
                "lamina", ["load", "-i", input] + flags, environment: ["LAMINA_ROOT": "\(lamina.root)"])
        }
        let image = TestImage.sample(.gzip)
        #expect(try load(lamina.layout(image.layout, named: "first")).exitCode == 0)
        var layout = image.layout
        var archive = image.dockerArchive("thing:1")
        for (number, layer) in image.layers.enumerated() {
            layout.files[TestArchive.blobName(layer.blob)] = nil
            archive.files["\(number)/layer.tar"] = [1, 2, 3]
        }
        for input in [
            try lamina.layout(layout, named: "known"), try lamina.file(archive.tar, named: "known.tar"),
        ] {
            let run = try load(input)
            #expect(
                run.exitCode == 0 && run.errorLines.allSatisfy { $0.hasSuffix(": Already exists") }, "\(run)")
        }
        var other = TestImage.sample(.zstd)
        #expect(
            try load(lamina.layout(other.layout, named: "other")).errorLines.last?.hasSuffix("Loaded") == true
        )
        other.layers[0].edit = { $0 + [0] }
        lamina.expectFailure(
            try lamina.run("load", "-q", "-i", lamina.layout(other.layout, named: "bad")), code: 2, "layer")
    }

    @Test func loadsADockerArchiveWithLinks() throws {
        let lamina = try LaminaProgram()
        var archive = TestImage.sample(.none).dockerArchive("docker.io/library/thing:1")
        archive.files["store.tar"] = archive.files["1/layer.tar"]
        archive.files["1/layer.tar"] = nil
        archive.links["1/layer.tar"] = "../store.tar"
        let path = try lamina.file(archive.tar, named: "saved.tar")
        #expect(try lamina.lines("load", "-q", "-i", path) == ["Loaded image: thing:1"])
        let compressed = try lamina.file(compress(archive.tar, .zstd), named: "saved.tar.zst")
        #expect(try lamina.lines("load", "-q", "-i", compressed) == ["Loaded image: thing:1"])
    }

    @Test func namesByAnnotations() throws {
        let lamina = try LaminaProgram()
        var image = TestImage.sample()
        image.annotations = [
            "io.containerd.image.name": "ghcr.io/some/thing:2", "org.opencontainers.image.ref.name": "2",
        ]
        let a = try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "a"))
        #expect(a == ["Loaded image: ghcr.io/some/thing:2"])
        image.annotations = ["org.opencontainers.image.ref.name": "small:3"]
        let b = try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "b"))
        #expect(b == ["Loaded image: small:3"])
        image.annotations = ["org.opencontainers.image.ref.name": "Not A Name"]
        let run = try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "c"))
        #expect(run.first?.hasPrefix("Loaded image ID: sha256:") == true)
        #expect(try lamina.lines("images", "-q").count == 1)
    }

    @Test func picksTheHostsPlatform() throws {
        let lamina = try LaminaProgram()
        var other = TestImage.sample(seed: 2)
        other.architecture = "s390x"
        var archive = TestImage.sample().layout
        for (name, bytes) in other.layout.files where name.hasPrefix("blobs/") { archive.files[name] = bytes }
        let type = "application/vnd.oci.image.manifest.v1+json"
        func platform(_ name: String) -> String {
            ",\"platform\":{\"os\":\"linux\",\"architecture\":\"\(name)\"}"
        }
        let foreign = TestImage.descriptor(type, other.manifest, extra: platform("s390x"))
        let host = TestImage.descriptor(
            type, TestImage.sample().manifest, extra: platform(TestImage.hostArchitecture))
        func nest(_ descriptors: [String]) {
            let index = Array(
                "{\"schemaVersion\":2,\"manifests\":[\(descriptors.joined(separator: ","))]}".utf8)
            archive.addBlob(index)
            archive.setIndex([TestImage.descriptor("application/vnd.oci.image.index.v1+json", index)])
        }
        nest([foreign, host])
        let loaded = try lamina.lines("load", "-q", "-i", lamina.layout(archive, named: "both"))
        #expect(loaded == ["Loaded image ID: \(sha256(TestImage.sample().config))"])
        nest([foreign])
        lamina.expectFailure(
            try lamina.run("load", "-i", lamina.layout(archive, named: "foreign")), code: 2, "linux/s390x")
    }
}
