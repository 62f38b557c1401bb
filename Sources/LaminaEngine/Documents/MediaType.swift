// The media types that Lamina takes, and what they say of a blob.

import LaminaCodec

enum MediaType {
    static let ociIndex = "application/vnd.oci.image.index.v1+json"
    static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
    static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    static let ociConfig = "application/vnd.oci.image.config.v1+json"
    static let configs: Set<String> = [
        "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
    ]

    static func isIndex(_ type: String) -> Bool { type == ociIndex || type == dockerList }
    static func isManifest(_ type: String) -> Bool { type == ociManifest || type == dockerManifest }

    /// The compression of layer blobs of this type; nil for a type that is no layer's.
    ///
    /// OCI image specification, `layer.md` and `media-types.md`; Docker's manifest schema 2;
    /// `+lz4`, which no specification names, in the same way.
    static func layerCompression(_ type: String) -> Compression? {
        layers[type]
    }

    /// The OCI media type of a layer in this compression.
    static func layer(_ compression: Compression) -> String {
        "application/vnd.oci.image.layer.v1.tar" + (compression == .none ? "" : "+\(compression.rawValue)")
    }

    /// The OCI name of a layer's media type of Docker's; any other as it is.
    static func oci(layer type: String) -> String {
        guard type.hasPrefix("application/vnd.docker."), let compression = layers[type] else { return type }
        return type.contains(".foreign.")
            ? layer(compression).replacing("layer.v1", with: "layer.nondistributable.v1") : layer(compression)
    }

    private static let layers: [String: Compression] = {
        var result: [String: Compression] = [:]
        let suffixes: [(String, Compression)] = [
            ("", .none), ("gzip", .gzip), ("zstd", .zstd), ("lz4", .lz4),
        ]
        let oci = "application/vnd.oci.image.layer."
        let docker = "application/vnd.docker.image.rootfs."
        for (suffix, compression) in suffixes {
            let plus = suffix.isEmpty ? "" : "+\(suffix)"
            result[oci + "v1.tar" + plus] = compression
            result[oci + "nondistributable.v1.tar" + plus] = compression
            let dot = suffix.isEmpty ? "" : ".\(suffix)"
            result[docker + "diff.tar" + dot] = compression
            result[docker + "foreign.diff.tar" + dot] = compression
        }
        return result
    }()
}
