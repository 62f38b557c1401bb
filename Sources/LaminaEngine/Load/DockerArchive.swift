// Plans the images of a docker-archive: what `docker save` wrote before it wrote OCI
// layouts, and what other tools still write.

import LaminaCodec
import LaminaCore
import LaminaStore

/// A docker-archive (moby `image/spec/v1.2.md`, "Combined Image JSON + Filesystem Changeset
/// Format"): `manifest.json`, configs, and layers that may be links to one another.
struct DockerArchive {
    private let input: ImageInput

    init(_ input: ImageInput) {
        self.input = input
    }

    func plans(_ bytes: [UInt8]) throws(LaminaError) -> [ImagePlan] {
        let name = "\(input.name): manifest.json"
        let entries = try DocumentParsing.parse([DockerArchiveManifest].self, from: bytes, named: name)
        var plans: [ImagePlan] = []
        for entry in entries { plans.append(try plan(entry)) }
        guard !plans.isEmpty else { throw LaminaError(.badInput, input.name, "holds no image") }
        return plans
    }

    private func plan(_ entry: DockerArchiveManifest) throws(LaminaError) -> ImagePlan {
        let config = try config(entry.config)
        let configuration = try ImagePlanner.configuration(config)
        let diffIDs = configuration.rootfs.diffIDs
        guard entry.layers.count == diffIDs.count else {
            throw LaminaError(
                .badInput, "\(input.name): manifest.json",
                "lists \(entry.layers.count) layers, its config \(diffIDs.count)")
        }
        let layers = zip(entry.layers, diffIDs).map { member, diffID in
            // No media type: the magic bytes decide, the diffID verifies.
            LayerPlan(
                member: ByteString(member), diffID: diffID, expectation: LayerExpectation(diffID: diffID))
        }
        return ImagePlan(
            references: (entry.repoTags ?? []).compactMap { try? ImageReference($0).normalised },
            manifest: nil, config: config, configuration: configuration, layers: layers)
    }

    private func config(_ member: String) throws(LaminaError) -> Document {
        guard let bytes = try input.document(ByteString(member)) else {
            throw LaminaError(.badInput, "config \(member)", "is missing from \(input.name)")
        }
        let digest = SHA256.digest(of: bytes.raw)
        let stem = member.split(separator: "/").last?.split(separator: ".").first ?? ""
        if let named = Digest(hex: stem), named != digest {
            throw LaminaError(.badInput, "config \(named)", "digest does not match: got \(digest)")
        }
        return Document(
            digest: digest, mediaType: "application/vnd.docker.container.image.v1+json", bytes: bytes)
    }
}
