// The JSON documents of an image as values: index, manifest, config. Only the fields
// that Lamina acts on; the bytes themselves are kept unchanged in the store.

import LaminaCore

/// What names a blob (OCI image specification, `descriptor.md`).
struct ContentDescriptor: Decodable, Sendable {
    var mediaType: String
    var digest: Digest
    var size: Int64
    var annotations: [String: String]?
    var platform: Platform?

    private enum Keys: String, CodingKey { case mediaType, digest, size, annotations, platform }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        mediaType = try values.decodeIfPresent(String.self, forKey: .mediaType) ?? ""
        let text = try values.decode(String.self, forKey: .digest)
        guard let digest = Digest(text) else {
            throw DecodingError.dataCorruptedError(
                forKey: .digest, in: values, debugDescription: "\"\(text)\" is not a sha256 digest")
        }
        self.digest = digest
        size = try values.decode(Int64.self, forKey: .size)
        guard size >= 0 else {
            throw DecodingError.dataCorruptedError(
                forKey: .size, in: values, debugDescription: "size is negative")
        }
        annotations = try values.decodeIfPresent([String: String].self, forKey: .annotations)
        platform = try values.decodeIfPresent(Platform.self, forKey: .platform)
    }
}

/// The platform of a manifest in an index (`image-index.md`).
struct Platform: Decodable, Hashable, Sendable {
    var architecture: String
    var os: String
    var variant: String?

    init(architecture: String, os: String, variant: String? = nil) {
        self.architecture = architecture
        self.os = os
        self.variant = variant
    }

    /// The platform this program runs on, in Go's terms.
    static var host: Platform {
        #if arch(arm64)
            Platform(architecture: "arm64", os: "linux")
        #else
            Platform(architecture: "amd64", os: "linux")
        #endif
    }
}

extension Platform: CustomStringConvertible {
    var description: String { "\(os)/\(architecture)" + (variant.map { "/\($0)" } ?? "") }
}

/// A list of manifests (`image-index.md`).
struct ImageIndex: Decodable, Sendable {
    var mediaType: String?
    var manifests: [ContentDescriptor]
}

/// An image as config and layers (`manifest.md`).
struct ImageManifest: Decodable, Sendable {
    var mediaType: String?
    var config: ContentDescriptor
    var layers: [ContentDescriptor]
}

/// What an image is (`config.md`).
struct ImageConfig: Decodable, Sendable {
    struct RootFilesystem: Decodable, Sendable {
        var type: String
        var diffIDs: [Digest]

        private enum Keys: String, CodingKey { case type, diffIDs = "diff_ids" }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Keys.self)
            type = try values.decode(String.self, forKey: .type)
            diffIDs = try values.decode([String].self, forKey: .diffIDs).map { text in
                guard let digest = Digest(text) else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .diffIDs, in: values, debugDescription: "\"\(text)\" is not a sha256 digest")
                }
                return digest
            }
        }
    }

    var created: String?
    var architecture: String
    var os: String
    var variant: String?
    var rootfs: RootFilesystem
}

/// One image of a docker-archive's `manifest.json`.
struct DockerArchiveManifest: Decodable, Sendable {
    var config: String
    var repoTags: [String]?
    var layers: [String]

    private enum CodingKeys: String, CodingKey {
        case config = "Config"
        case repoTags = "RepoTags"
        case layers = "Layers"
    }
}
