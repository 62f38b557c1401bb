// ImageVolumes is the one part of an image's config that matters when a sandbox is made and not before:
// an image loads whatever stands there.

/// The keys of `config.Volumes` (OCI image specification, `config.md`).
struct ImageVolumes: Decodable, Sendable {
    var paths: [String]

    private enum Keys: String, CodingKey { case config }
    private enum ConfigKeys: String, CodingKey { case volumes = "Volumes" }
    /// The values are empty objects by the specification, and mean nothing.
    private struct Ignored: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    init(from decoder: any Decoder) throws {
        let document = try decoder.container(keyedBy: Keys.self)
        paths = []
        guard document.contains(.config), try !document.decodeNil(forKey: .config) else { return }
        let config = try document.nestedContainer(keyedBy: ConfigKeys.self, forKey: .config)
        let volumes = try config.decodeIfPresent([String: Ignored?].self, forKey: .volumes)
        paths = (volumes ?? [:]).keys.sorted()
    }
}
