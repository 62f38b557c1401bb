import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Each input that issue 2 calls bad: one line that names the thing, exit code 2, no trace.
@Suite struct BadInputTests {
    /// Loads `archive` into a store that has another image, and expects the store as it was.
    private func expectRefusal(
        _ archive: TestArchive, code: Int32 = 2, _ words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let before = try (lamina.storeFiles(), lamina.lines("images", "--no-trunc"))
        let layout = try lamina.layout(archive, named: "bad")
        let tar = try lamina.file(compress(archive.tar, .gzip), named: "bad.tar.gz")
        for input in [layout, tar] {
            let run = try lamina.run("load", "-q", "-i", input)
            #expect(run.exitCode == code, "\(run)", sourceLocation: sourceLocation)
            #expect(run.output.isEmpty && run.errorLines.count == 1, "\(run)", sourceLocation: sourceLocation)
            for word in words { #expect(run.errors.contains(word), "\(run)", sourceLocation: sourceLocation) }
            let after = try (lamina.storeFiles(), lamina.lines("images", "--no-trunc"))
            #expect(before.0 == after.0, sourceLocation: sourceLocation)
            #expect(before.1 == after.1, sourceLocation: sourceLocation)
        }
        #expect(try lamina.lines("prune") == ["Total reclaimed space: 0B"], sourceLocation: sourceLocation)
    }

    /// An image of one layer with these entries behind a good one.
    private func image(_ entries: (inout TarBuilder) -> Void) -> TestImage {
        var tar = TarBuilder()
        tar.add("good", noise(100_000, seed: 9))
        entries(&tar)
        tar.end()
        return TestImage([TestImage.Layer(tar.bytes)])
    }

    @Test(arguments: Compression.allCases)
    func blobDigestMismatch(_ compression: Compression) throws {
        let image = TestImage.sample(compression, seed: 3)
        var archive = image.layout
        let blob = image.layers[0].blob
        let name = TestArchive.blobName(blob)
        // In the middle of the large file's payload.
        archive.files[name]?[blob.count / 2] ^= 1
        try expectRefusal(archive, "layer \(sha256(blob))")
    }

    @Test func diffIDMismatch() throws {
        var image = TestImage.sample(seed: 3)
        image.layers[1].diffID = sha256([1])
        try expectRefusal(
            image.layout, "layer \(sha256(image.layers[1].blob))", "digest does not match", "\(sha256([1]))")
    }

    @Test func truncatedGzip() throws {
        var image = TestImage.sample(.gzip, seed: 3)
        image.layers[0].edit = { Array($0.dropLast(100)) }
        try expectRefusal(image.layout, "layer \(sha256(image.layers[0].blob))", "truncated gzip")
    }

    @Test func shortBlob() throws {
        let image = TestImage.sample(seed: 3)
        var archive = image.layout
        archive.files[TestArchive.blobName(image.layers[0].blob)]?.removeLast(10)
        try expectRefusal(archive, "layer \(sha256(image.layers[0].blob))", "its descriptor says")
    }

    @Test func unknownMediaType() throws {
        var image = TestImage.sample(seed: 3)
        image.layers[0].mediaType = "application/vnd.example.layer.v9"
        try expectRefusal(
            image.layout, "layer \(sha256(image.layers[0].blob))", "unknown media type",
            "application/vnd.example.layer.v9")
    }

    @Test func compressionOtherThanTheMediaType() throws {
        var image = TestImage.sample(.zstd, seed: 3)
        image.layers[0].mediaType = "application/vnd.oci.image.layer.v1.tar+gzip"
        try expectRefusal(
            image.layout, "layer \(sha256(image.layers[0].blob))", "said to be gzip and is zstd")
    }

    @Test func missingLayer() throws {
        let image = TestImage.sample(seed: 3)
        var archive = image.layout
        archive.files[TestArchive.blobName(image.layers[0].blob)] = nil
        try expectRefusal(archive, "layer \(sha256(image.layers[0].blob))", "is missing")
    }

    @Test func missingAndDamagedDocuments() throws {
        let image = TestImage.sample(seed: 3)
        var archive = image.layout
        archive.files[TestArchive.blobName(image.manifest)] = nil
        try expectRefusal(archive, "manifest \(sha256(image.manifest))", "is missing")
        archive = image.layout
        archive.files[TestArchive.blobName(image.config)]?[20] ^= 1
        try expectRefusal(archive, "config \(sha256(image.config))", "digest does not match")
        archive = image.layout
        archive.files["index.json"] = Array("{".utf8)
        try expectRefusal(archive, "index.json", "not valid JSON")
        archive.files["index.json"] = Array("{\"manifests\":[{\"digest\":\"sha256:0\",\"size\":1}]}".utf8)
        try expectRefusal(archive, "index.json", "manifests.[0].digest")
        archive = TestArchive()
        archive.files["readme"] = Array("hello".utf8)
        try expectRefusal(archive, "neither an OCI layout")
    }

    @Test func namesThatLeaveTheRoot() throws {
        try expectRefusal(image { $0.add("a/../../etc/passwd") }.layout, "a/../../etc/passwd", "'..'")
        try expectRefusal(image { $0.add("/etc/passwd") }.layout, "/etc/passwd", "absolute")
        let escape = image {
            $0.add("out", type: "2", link: "/etc")
            $0.add("out/passwd")
        }
        try expectRefusal(escape.layout, "out/passwd", "symlink")
        try expectRefusal(
            image { $0.add("x", type: "1", link: "../../etc/shadow") }.layout, "../../etc/shadow")
    }

    @Test func notAnArchive() throws {
        let lamina = try LaminaProgram()
        let path = try lamina.file(noise(4096, seed: 4), named: "noise")
        lamina.expectFailure(try lamina.run("load", "-i", path), code: 2, path, "tar")
        lamina.expectFailure(try lamina.run("load", "-i", "/nothing/here"), code: 3, "/nothing/here")
        #expect(try lamina.storeFiles() == [])
    }

    @Test func fullDisk() throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(TestImage.sample(.none, seed: 5).layout)
        guard geteuid() == 0 else { return print("SKIPPED fullDisk: needs root for a small tmpfs") }
        try Descriptor.workingDirectory().makeDirectory(lamina.root, permissions: 0o700)
        #expect(
            try Spawn("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=300k", "none", lamina.root]).run() == 0)
        let run = try lamina.run("load", "-q", "-i", layout)
        // By a file of the layer or by the catalogue, whichever meets it first.
        lamina.expectFailure(run, code: 5, "o space left on ")
        #expect(try lamina.storeFiles() == [])
        #expect(try lamina.lines("images", "-q").isEmpty)
    }
}
