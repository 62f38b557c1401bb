import Glibc
import LaminaCodec
import LaminaCore
import LaminaEngine
import LaminaSystem
import LaminaTestSupport
import Testing

/// `lamina save`: what comes back is what was loaded, digest by digest.
@Suite struct SaveCommandTests {
    /// Loads what was saved into a store of its own; what that has then.
    private func reload(_ archive: String) throws -> (LaminaProgram, [String]) {
        let other = try LaminaProgram()
        let loaded = try other.lines("load", "-q", "-i", archive)
        return (other, loaded)
    }

    private func facts(_ lamina: LaminaProgram, _ image: String) throws -> [String] {
        try lamina.lines("inspect", "-f", "{{.Id}} {{json .RootFS.Layers}} {{json .RepoTags}}", image)
    }

    private func manifests(_ lamina: LaminaProgram, _ image: String) throws -> [String] {
        try lamina.lines("inspect", "-f", "{{index .Manifests 0}}", image)
    }

    @Test(arguments: Compression.allCases)
    func manifestsStay(_ compression: Compression) throws {
        let lamina = try LaminaProgram()
        let image = TestImage.sample(compression)
        try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "sample"))
        let archive = "\(lamina.path("out.tar"))"
        #expect(try lamina.run("save", "-o", archive, "sample").output.isEmpty)
        let (other, loaded) = try reload(archive)
        #expect(loaded == ["Loaded image: sample:latest"])
        #expect(try facts(other, "sample") == facts(lamina, "sample"))
        #expect(try manifests(other, "sample") == ["\(sha256(image.manifest))"])
        // To stdout the same bytes, and again the same.
        let run = try lamina.run("save", "sample")
        let saved = try Descriptor.open(ByteString(archive), O_RDONLY).readAll(limit: 1 << 24)
        #expect(
            run.exitCode == 0
                && sha256(Array(run.output.utf8))
                    == sha256(Array(String(decoding: saved, as: UTF8.self).utf8))
        )
    }

    /// Without its blobs an image keeps its id and layers, under another manifest.
    @Test func layersAreMadeAnew() throws {
        let lamina = try LaminaProgram()
        let image = TestImage.sample(.gzip)
        try lamina.lines("load", "-q", "--no-blobs", "-i", lamina.layout(image.layout, named: "sample"))
        let archive = "\(lamina.path("out.tar"))"
        let saved = try lamina.run("save", "-o", archive, "sample")
        let diffIDs = image.layers.map { "\(sha256($0.tar))" }
        #expect(saved.exitCode == 0 && saved.errorLines.count == 2, "\(saved)")
        for (line, diffID) in zip(saved.errorLines, diffIDs) {
            #expect(line.hasPrefix("lamina: layer \(diffID): compressed anew with zstd, as blob sha256:"))
        }
        let (other, _) = try reload(archive)
        #expect(try facts(other, "sample") == facts(lamina, "sample"))
        #expect(try manifests(other, "sample") != ["\(sha256(image.manifest))"])
        #expect(try other.run("verify").exitCode == 0)
        // What was put aside is gone, and nothing was kept.
        #expect(try lamina.lines("fsck", "--deep") == ["no problems"])
        #expect(try !lamina.storeFiles().contains { $0.hasPrefix("ingest/") })
    }

    /// Blobs that were dropped come anew as wanted, in the archive only, and always the same.
    @Test(arguments: LayerCompression.Codec.allCases)
    func droppedBlobs(_ codec: LayerCompression.Codec) throws {
        let lamina = try LaminaProgram()
        let image = TestImage.sample(.gzip)
        try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "sample"))
        try lamina.lines("prune", "--drop-blobs")
        let files = try lamina.storeFiles()
        let archives = ["one.tar", "two.tar"].map { "\(lamina.path($0))" }
        for archive in archives {
            let saved = try lamina.run("save", "--compression", codec.rawValue, "-o", archive, "sample")
            #expect(saved.exitCode == 0 && saved.errorLines.count == (codec == .none ? 0 : 2), "\(saved)")
        }
        let bytes = try archives.map { try Descriptor.open(ByteString($0), O_RDONLY).readAll(limit: 1 << 24) }
        #expect(bytes[0] == bytes[1])
        #expect(try lamina.storeFiles() == files)
        let (other, loaded) = try reload(archives[0])
        #expect(loaded == ["Loaded image: sample:latest"])
        #expect(try facts(other, "sample") == facts(lamina, "sample"))
        #expect(try manifests(other, "sample") != ["\(sha256(image.manifest))"])
        let suffix = codec == .none ? "" : "+\(codec.rawValue)"
        let manifest = try manifests(other, "sample")[0].dropFirst(7)
        let text = try Descriptor.open(
            other.root.appending(ByteString("blobs/sha256/\(manifest.prefix(2))/\(manifest)")), O_RDONLY
        ).readAll(limit: 1 << 16)
        #expect(String(decoding: text, as: UTF8.self).contains("layer.v1.tar\(suffix)\""))
        // A load brings the first blobs back, and with them the manifest.
        try lamina.lines("load", "-q", "-i", "\(lamina.path("sample"))")
        let whole = try lamina.run("save", "-o", archives[0], "sample")
        #expect(whole.errors.isEmpty, "\(whole)")
    }

    /// Damage below a layer that is compressed anew is met on the way.
    @Test func damagedTar() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("prune", "--drop-blobs")
        let name = try #require(try lamina.storeFiles().first { $0.contains("objects/") }).split(
            separator: " ")[0]
        try Descriptor.open(lamina.root.appending(ByteString(String(name))), O_WRONLY).writeAll(
            [0xFF].raw, at: 100)
        let archive = lamina.path("out.tar")
        lamina.expectFailure(
            try lamina.run("save", "-o", "\(archive)", "sample"), code: 2, "layer", "digest does not match")
        #expect((try? FileStatus.of(archive)) == nil)
        lamina.expectFailure(
            try lamina.run("save", "--format", "docker-archive", "--compression", "zstd", "sample"), code: 64,
            "plain tars")
    }

    @Test func dockerArchive() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("tag", "sample", "ghcr.io/some/thing:2")
        let archive = "\(lamina.path("out.tar"))"
        try lamina.lines(
            "save", "--format", "docker-archive", "-o", archive, "sample", "ghcr.io/some/thing:2")
        let list = try CommandRun.run("/bin/tar", ["-tf", archive])
        let diffIDs = TestImage.sample().layers.map { sha256($0.tar).hex }
        #expect(
            list.lines == [
                "\(sha256(TestImage.sample().config).hex).json", "\(diffIDs[0]).tar", "\(diffIDs[1]).tar",
                "manifest.json",
            ])
        let (other, loaded) = try reload(archive)
        #expect(Set(loaded) == ["Loaded image: ghcr.io/some/thing:2", "Loaded image: sample:latest"])
        #expect(try facts(other, "sample") == facts(lamina, "sample"))
    }

    @Test func severalImagesShareLayers() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        var lower = TestImage.sample()
        lower.layers.removeLast()
        try lamina.lines("load", "-q", "-i", lamina.layout(lower.layout, named: "lower"))
        try lamina.lines("tag", "lower", "lower:2")
        let archive = "\(lamina.path("out.tar"))"
        let id = "\(sha256(TestImage.sample().config))"
        for format in ["oci-archive", "docker-archive"] {
            try lamina.lines("save", "--format", format, "-o", archive, id, "lower")
            let list = try CommandRun.run("/bin/tar", ["-tf", archive]).lines
            #expect(list.count == Set(list).count)
            #expect(list.count == (format == "oci-archive" ? 9 : 5), "\(list)")
            let (other, loaded) = try reload(archive)
            // An id brings no name; a repository all its tags.
            #expect(
                Set(loaded) == [
                    "Loaded image: lower:2", "Loaded image: lower:latest", "Loaded image ID: \(id)",
                ])
            #expect(try other.lines("images", "-q").count == 2)
        }
    }

    @Test func fails() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let archive = lamina.path("out.tar")
        lamina.expectFailure(try lamina.run("save", "nobody"), code: 3, "nobody: no such image")
        lamina.expectFailure(
            try lamina.run("save", "-o", "\(archive)", "sample", "nobody"), code: 3, "nobody")
        #expect((try? FileStatus.of(archive)) == nil)
        lamina.expectFailure(try lamina.run("save"), code: 64)
        lamina.expectFailure(try lamina.run("save", "--format", "zip", "sample"), code: 64, "zip")
        lamina.expectFailure(try lamina.run("save", "-o", "/nowhere/x", "sample"), code: 1, "/nowhere/x")
        // Damage is met on the way, and half an archive goes.
        let blob = TestImage.sample().layers[0].blob
        let file = try Descriptor.open(
            lamina.root.appending(
                ByteString("blobs/sha256/\(sha256(blob).hex.prefix(2))/\(sha256(blob).hex)")), O_WRONLY)
        try file.writeAll([0xFF].raw, at: 100)
        lamina.expectFailure(
            try lamina.run("save", "-o", "\(archive)", "sample"), code: 2, "\(sha256(blob))",
            "digest does not match")
        #expect((try? FileStatus.of(archive)) == nil)
        #expect(try lamina.run("save", "-o", "/dev/full", "sample").exitCode == 5)
    }
}
