import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Whether a tool of Debian's is here; says so where it is not.
private func has(_ tool: ByteString) -> Bool {
    if Spawn.locate(tool) != nil { return true }
    print("SKIPPED, NOT TESTED: \(tool) is not installed")
    return false
}

private let hasSkopeo = has("skopeo")
private let hasUmoci = has("umoci")
private let hasBuildah = has("buildah")
private let hasPodman = has("podman")

/// Archives of `save` that other tools read, and what they write that `load` reads. Digests are compared.
@Suite(.serialized) struct ImageInterchangeTests {
    /// Images with something unusual in each.
    enum Shape: String, CaseIterable, Sendable {
        case single, many, empty, foreign, duplicates, withoutHistory, named, index, zstd, plain, history

        var image: TestImage {
            var image = TestImage.sample(.gzip)
            switch self {
            case .single: image.layers.removeLast()
            case .many: image.layers = (0..<128).map { Self.layer("file\($0)", $0) }
            case .empty: image.layers.insert(TestImage.Layer([UInt8](repeating: 0, count: 1024)), at: 1)
            case .foreign:
                // Such as no registry may pass on; here they are like any other.
                for index in image.layers.indices {
                    image.layers[index].mediaType =
                        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
                }
            case .duplicates: image.layers += [image.layers[0], image.layers[1]]
            case .withoutHistory: image.created = "2020-01-01T00:00:00Z"
            case .named: image.layers[0] = Self.layer(String(repeating: "n", count: 99) + "\u{fc}", 1)
            case .index: break
            case .zstd: image = TestImage.sample(.zstd)
            case .plain: image = TestImage.sample(.none)
            case .history:
                image.history = """
                    [{"created":"2020-01-01T00:00:00Z","created_by":"one"},{"created_by":"two","empty_layer":true},\
                    {"created_by":"three"}]
                    """
            }
            if self == .many { image.created = "1970-01-01T00:00:00Z" }
            return image
        }

        private static func layer(_ name: String, _ number: Int) -> TestImage.Layer {
            var tar = TarBuilder()
            tar.add(name, noise(100 + number, seed: UInt64(number)))
            tar.end()
            return TestImage.Layer(tar.bytes)
        }

        /// The layout; for `index` with an index above manifests for two machines, the host's being the second.
        var layout: TestArchive {
            var archive = image.layout
            guard self == .index else { return archive }
            let type = "application/vnd.oci.image.manifest.v1+json"
            func platform(_ name: String) -> String {
                ",\"platform\":{\"os\":\"linux\",\"architecture\":\"\(name)\"}"
            }
            var other = TestImage.sample(.gzip, seed: 9)
            other.architecture = "s390x"
            for blob in other.layers.map(\.blob) + [other.config, other.manifest] { archive.addBlob(blob) }
            let manifests = [
                TestImage.descriptor(type, other.manifest, extra: platform("s390x")),
                TestImage.descriptor(type, image.manifest, extra: platform(TestImage.hostArchitecture)),
            ]
            let index = Array(
                "{\"schemaVersion\":2,\"manifests\":[\(manifests.joined(separator: ","))]}".utf8)
            archive.addBlob(index)
            archive.setIndex([
                TestImage.descriptor(
                    "application/vnd.oci.image.index.v1+json", index,
                    extra: ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"latest\"}")
            ])
            return archive
        }
    }

    private func tool(_ name: String, _ arguments: [String]) throws -> CommandRun {
        let program = try #require(Spawn.locate(ByteString(name)))
        return try CommandRun.run(program, arguments)
    }

    /// A store with an image of the shape as `shape:latest`, and the archive of it.
    private func saved(_ shape: Shape, _ format: String) throws -> (LaminaProgram, String) {
        let lamina = try LaminaProgram()
        try lamina.lines("load", "-q", "-i", lamina.layout(shape.layout, named: "shape"))
        let archive = "\(lamina.path("saved.tar"))"
        try lamina.lines("save", "--format", format, "-o", archive, "shape:latest")
        return (lamina, archive)
    }

    /// Loads what a tool wrote and compares id and layers with those of the shape.
    private func expectSame(_ shape: Shape, _ input: String, config: Bool = true) throws {
        let other = try LaminaProgram()
        let loaded = try other.run("load", "-q", "-i", input)
        #expect(loaded.exitCode == 0, "\(loaded)")
        let id = try #require(try other.lines("images", "-q", "--no-trunc").first)
        if config { #expect(id == "\(sha256(shape.image.config))") }
        let layers = shape.image.layers.map { "\(sha256($0.tar))" }.joined(separator: " ")
        #expect(try other.lines("inspect", "-f", "{{join .RootFS.Layers \" \"}}", id) == [layers])
        #expect(try other.run("verify").exitCode == 0)
    }

    @Test(.enabled(if: hasSkopeo), arguments: Shape.allCases)
    func skopeoThereAndBack(_ shape: Shape) throws {
        let (lamina, archive) = try saved(shape, "oci-archive")
        let inspected = try tool("skopeo", ["inspect", "--raw", "oci-archive:\(archive):latest"])
        #expect(inspected.exitCode == 0, "\(inspected)")
        #expect(sha256(Array(inspected.output.utf8)) == sha256(shape.image.manifest), "\(inspected)")
        let back = "\(lamina.path("back"))"
        let copied = try tool(
            "skopeo", ["copy", "-q", "oci-archive:\(archive):latest", "oci:\(back):latest"])
        #expect(copied.exitCode == 0, "\(copied)")
        try expectSame(shape, back)
        // The tool has no way to put zstd into a docker-archive.
        if shape == .zstd { return }
        let file = "\(lamina.path("back.tar"))"
        let written = try tool(
            "skopeo", ["copy", "-q", "oci-archive:\(archive):latest", "docker-archive:\(file):shape:latest"])
        #expect(written.exitCode == 0, "\(written)")
        // The tool writes the config anew where it turns one kind of image into the other.
        try expectSame(shape, file, config: false)
    }

    @Test(.enabled(if: hasSkopeo), arguments: Shape.allCases)
    func skopeoReadsDockerArchives(_ shape: Shape) throws {
        let (lamina, archive) = try saved(shape, "docker-archive")
        let back = "\(lamina.path("back"))"
        let copied = try tool(
            "skopeo",
            ["copy", "-q", "docker-archive:\(archive):docker.io/library/shape:latest", "oci:\(back):latest"])
        #expect(copied.exitCode == 0, "\(copied)")
        try expectSame(shape, back, config: false)
    }

    @Test(.enabled(if: hasUmoci), arguments: Shape.allCases)
    func umociReadsLayouts(_ shape: Shape) throws {
        let (lamina, archive) = try saved(shape, "oci-archive")
        let layout = "\(lamina.path("layout"))"
        #expect(try CommandRun.run("/bin/mkdir", [layout]).exitCode == 0)
        #expect(try CommandRun.run("/bin/tar", ["-xf", archive, "-C", layout]).exitCode == 0)
        // Debian's umoci knows gzip and plain layers.
        guard shape != .zstd else { return print("SKIPPED: umoci of Debian 12 reads no zstd") }
        let bundle = "\(lamina.path("bundle"))"
        let unpacked = try tool("umoci", ["unpack", "--image", "\(layout):latest", bundle])
        #expect(unpacked.exitCode == 0, "\(unpacked)")
        try lamina.lines("create", "shape", "--name", "box")
        guard geteuid() == 0 else { return }
        let ours = try lamina.look("box", "find . -type f -print0 | LC_ALL=C sort -z | xargs -0r md5sum")
        let theirs = try CommandRun.run(
            "/bin/bash",
            ["-c", "cd '\(bundle)/rootfs'; find . -type f -print0 | LC_ALL=C sort -z | xargs -0r md5sum"])
        #expect(ours == theirs.lines)
    }

    /// What umoci makes of a saved image with one more layer is loaded: the layers below are those of the image, and
    /// the tree is the one that umoci packed.
    @Test(.enabled(if: hasUmoci && canMountBoxes), arguments: Shape.allCases)
    func umociWritesImages(_ shape: Shape) throws {
        guard shape != .zstd else { return print("SKIPPED: umoci of Debian 12 reads no zstd") }
        let (lamina, archive) = try saved(shape, "oci-archive")
        let layout = "\(lamina.path("layout"))"
        let packed = try CommandRun.run(
            "/bin/bash",
            [
                "-ec",
                #"""
                mkdir "$0"; tar -xf "$1" -C "$0"; umoci unpack --image "$0:latest" "$2" 2>&1
                cd "$2/rootfs"; mkdir -p added/dir; echo new > added/dir/file; ln added/dir/file added/twin
                ln -s ../x added/link; chmod 4750 added/dir/file; rm -rf etc/release; setfattr -n user.a -v b added
                # This umoci writes whole seconds.
                touch -h -d @1600000000 added/dir/file added/link added/dir added .; [ ! -d etc ] || touch -d @1600000000 etc
                cd /; umoci repack --image "$0:made" "$2" 2>&1; umoci config --config.cmd /bin/true --image "$0:made" 2>&1
                """#, layout, archive, "\(lamina.path("bundle"))",
            ])
        #expect(packed.exitCode == 0, "\(packed)")
        let other = try LaminaProgram()
        try other.lines("load", "-q", "-i", layout)
        let layers = try #require(
            try other.lines("inspect", "-f", "{{join .RootFS.Layers \" \"}}", "shape:made").first)
        let own = shape.image.layers.map { "\(sha256($0.tar))" }
        #expect(layers.split(separator: " ").map(String.init).starts(with: own))
        #expect(layers.split(separator: " ").count == own.count + 1)
        #expect(
            try other.lines("inspect", "-f", "{{json .Config.Cmd}}", "shape:made") == ["[\"/bin/true\"]"])
        try other.lines("create", "shape:made", "--name", "box")
        let ours = try other.look("box", TreeListing.script)
        let theirs = try CommandRun.run(
            "/bin/bash", ["-ec", "cd '\(lamina.path("bundle"))/rootfs'; \(TreeListing.script)"])
        #expect(
            ours.dropFirst() == theirs.lines.dropFirst(), "\(Set(ours).symmetricDifference(theirs.lines))")
        #expect(try other.run("verify").exitCode == 0)
    }

    @Test(.enabled(if: hasBuildah && geteuid() == 0), arguments: ["oci-archive", "docker-archive"])
    func buildahThereAndBack(_ format: String) throws {
        for shape in Shape.allCases {
            let (lamina, archive) = try saved(shape, format)
            let storage = [
                "--root", "\(lamina.path("storage"))", "--runroot", "\(lamina.path("run"))",
                "--storage-driver", "vfs",
            ]
            let pulled = try tool("buildah", storage + ["pull", "-q", "\(format):\(archive)"])
            #expect(pulled.exitCode == 0, "\(shape): \(pulled)")
            let id = try #require(pulled.lines.last)
            let back = "\(lamina.path("back"))"
            let pushed = try tool("buildah", storage + ["push", "-q", id, "oci:\(back):latest"])
            #expect(pushed.exitCode == 0, "\(shape): \(pushed)")
            try expectSame(shape, back, config: format == "oci-archive")
        }
    }

    @Test(.enabled(if: hasPodman && geteuid() == 0), arguments: ["oci-archive", "docker-archive"])
    func podmanThereAndBack(_ format: String) throws {
        for shape in Shape.allCases {
            let (lamina, archive) = try saved(shape, format)
            let storage = [
                "--root", "\(lamina.path("storage"))", "--runroot", "\(lamina.path("run"))",
                "--storage-driver", "vfs",
            ]
            let loaded = try tool("podman", storage + ["load", "-q", "-i", archive])
            #expect(loaded.exitCode == 0 && loaded.output.contains("shape:latest"), "\(shape): \(loaded)")
            let back = "\(lamina.path("back.tar"))"
            let saved = try tool(
                "podman", storage + ["save", "-q", "--format", format, "-o", back, "shape:latest"])
            #expect(saved.exitCode == 0, "\(shape): \(saved)")
            try expectSame(shape, back, config: false)
        }
    }
}
