// TestImage makes images for tests, as the members of an OCI layout or docker-archive,
// which a test may damage before it writes them.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// An image of layers given as tars.
public struct TestImage {
    public struct Layer {
        public var tar: [UInt8]
        public var compression: Compression
        /// Instead of the OCI media type of the compression.
        public var mediaType: String?
        /// What the config lists instead of the tar's digest.
        public var diffID: Digest?
        /// Changes the blob before its digest is taken.
        public var edit: ([UInt8]) -> [UInt8] = { $0 }

        public init(_ tar: [UInt8], _ compression: Compression = .gzip) {
            self.tar = tar
            self.compression = compression
        }

        public var blob: [UInt8] { edit(compress(tar, compression)) }

        var type: String {
            let suffix = compression == .none ? "" : "+\(compression.rawValue)"
            return mediaType ?? "application/vnd.oci.image.layer.v1.tar\(suffix)"
        }
    }

    public var layers: [Layer]
    public var annotations = ["org.opencontainers.image.ref.name": "latest"]
    public var architecture = Self.hostArchitecture
    public var os = "linux"
    /// Paths of the config's `Volumes`.
    public var volumes: [String] = [] {
        didSet {
            configFields = "\"Volumes\":{\(volumes.map { "\"\($0)\":{}" }.joined(separator: ","))}"
        }
    }
    /// More fields of what the config says of its containers, as JSON.
    public var configFields = ""
    /// The config's `created`, and its `history` as JSON; neither stands there when nil.
    public var created: String?
    public var history: String?

    public init(_ layers: [Layer]) {
        self.layers = layers
    }

    public static var hostArchitecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }

    /// The config's bytes.
    public var config: [UInt8] {
        let diffIDs = layers.map { "\"\($0.diffID ?? sha256($0.tar))\"" }.joined(separator: ",")
        let more = configFields.isEmpty ? "" : ",\(configFields)"
        let time = created.map { "\"created\":\"\($0)\"," } ?? ""
        let steps = history.map { ",\"history\":\($0)" } ?? ""
        return Array(
            """
            {\(time)"architecture":"\(architecture)","os":"\(os)","config":{"Cmd":["/bin/sh"]\(more)},\
            "rootfs":{"type":"layers","diff_ids":[\(diffIDs)]}\(steps)}
            """.utf8)
    }

    /// The manifest's bytes.
    public var manifest: [UInt8] {
        let layers = layers.map { Self.descriptor($0.type, $0.blob) }.joined(separator: ",")
        return Array(
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
            "config":\(Self.descriptor("application/vnd.oci.image.config.v1+json", config)),"layers":[\(layers)]}
            """.utf8)
    }

    /// A descriptor of `bytes` as JSON, `extra` being more of its fields.
    public static func descriptor(_ mediaType: String, _ bytes: [UInt8], extra: String = "") -> String {
        "{\"mediaType\":\"\(mediaType)\",\"digest\":\"\(sha256(bytes))\",\"size\":\(bytes.count)\(extra)}"
    }

    /// The image as an OCI layout.
    public var layout: TestArchive {
        var archive = TestArchive()
        for blob in layers.map(\.blob) + [config, manifest] { archive.addBlob(blob) }
        let names = annotations.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
        let descriptor = Self.descriptor(
            "application/vnd.oci.image.manifest.v1+json", manifest, extra: ",\"annotations\":{\(names)}")
        archive.setIndex([descriptor])
        return archive
    }

    /// The image as a docker-archive, the second and later use of a layer being a link.
    public func dockerArchive(_ name: String) -> TestArchive {
        var archive = TestArchive()
        let configName = "\(sha256(config).hex).json"
        archive.files[configName] = config
        var names: [String] = []
        for (number, layer) in layers.enumerated() {
            names.append("\(number)/layer.tar")
            archive.files["\(number)/layer.tar"] = layer.blob
        }
        let listed = names.map { "\"\($0)\"" }.joined(separator: ",")
        archive.files["manifest.json"] = Array(
            "[{\"Config\":\"\(configName)\",\"RepoTags\":[\"\(name)\"],\"Layers\":[\(listed)]}]".utf8)
        return archive
    }

    /// Two small layers: a directory, files small and large, a symlink; then a whiteout and a change.
    public static func sample(_ compression: Compression = .gzip, seed: UInt64 = 1) -> TestImage {
        var lower = TarBuilder()
        lower.add("./", type: "5", mode: 0o751)
        lower.add("etc/", type: "5", mode: 0o755)
        lower.add("etc/release", Array("one\n".utf8))
        lower.add("etc/gone", Array("gone\n".utf8))
        lower.add("big", noise(200_000, seed: seed))
        lower.add("link", type: "2", link: "etc/release")
        lower.end()
        var upper = TarBuilder()
        upper.add("etc/", type: "5", mode: 0o755)
        upper.add("etc/.wh.gone")
        upper.add("etc/release", Array("two\n".utf8))
        upper.end()
        return TestImage([Layer(lower.bytes, compression), Layer(upper.bytes, compression)])
    }
}

/// Named members of a layout or archive.
public struct TestArchive {
    public var files: [String: [UInt8]] = [:]
    /// Symlinks: name and target.
    public var links: [String: String] = [:]

    public init() {}

    public mutating func addBlob(_ bytes: [UInt8]) {
        files[Self.blobName(bytes)] = bytes
    }

    public static func blobName(_ bytes: [UInt8]) -> String { "blobs/sha256/\(sha256(bytes).hex)" }

    /// Writes `index.json` with these descriptors.
    public mutating func setIndex(_ descriptors: [String]) {
        files["oci-layout"] = Array("{\"imageLayoutVersion\":\"1.0.0\"}".utf8)
        files["index.json"] = Array(
            "{\"schemaVersion\":2,\"manifests\":[\(descriptors.joined(separator: ","))]}".utf8)
    }

    /// Writes all files below a directory, which is made.
    public func write(to path: ByteString) throws {
        let root = try Descriptor.workingDirectory()
        try root.makeDirectories(path)
        for (name, bytes) in files {
            let parts = ByteString(name).components
            let parent = parts.dropLast().reduce(path) { $0.appending($1) }
            try root.makeDirectories(parent)
            let file = try Descriptor.open(
                path.appending(ByteString(name)), O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o644)
            try file.writeAll(bytes)
        }
    }

    /// All files as one tar.
    public var tar: [UInt8] {
        var builder = TarBuilder()
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) { builder.add(name, bytes) }
        for (name, target) in links.sorted(by: { $0.key < $1.key }) {
            builder.add(name, type: "2", link: target)
        }
        builder.end()
        return builder.bytes
    }
}
