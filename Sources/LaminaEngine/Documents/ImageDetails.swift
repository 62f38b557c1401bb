// ImageDetails is what lists and histories say of an image beyond its layers. An image loads whatever
// stands there; what is not as the specification has it counts as absent.

/// `history` and `config.Labels` of an image's config (OCI image specification, `config.md`).
struct ImageDetails: Decodable, Sendable {
    struct Step: Decodable, Sendable {
        var created: String?
        var createdBy: String?
        var author: String?
        var comment: String?
        var isEmptyLayer: Bool

        private enum Keys: String, CodingKey {
            case created, createdBy = "created_by", author, comment, isEmptyLayer = "empty_layer"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Keys.self)
            created = try? values.decodeIfPresent(String.self, forKey: .created)
            createdBy = try? values.decodeIfPresent(String.self, forKey: .createdBy)
            author = try? values.decodeIfPresent(String.self, forKey: .author)
            comment = try? values.decodeIfPresent(String.self, forKey: .comment)
            isEmptyLayer = (try? values.decodeIfPresent(Bool.self, forKey: .isEmptyLayer)) ?? false
        }
    }

    private struct Container: Decodable {
        var labels: [String: String]

        private enum Keys: String, CodingKey { case labels = "Labels" }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Keys.self)
            labels = (try? values.decodeIfPresent([String: String].self, forKey: .labels)) ?? [:]
        }
    }

    /// Oldest first.
    var history: [Step]
    var labels: [String: String]

    private enum Keys: String, CodingKey { case history, config }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        history = (try? values.decodeIfPresent([Step].self, forKey: .history)) ?? []
        labels = (try? values.decodeIfPresent(Container.self, forKey: .config))?.labels ?? [:]
    }
}
