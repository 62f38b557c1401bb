// Reads the documents of an input and plans the load of every image in it.

import LaminaCodec
import LaminaCore
import LaminaStore

/// The step from an input to plans. All digests and sizes of documents are checked here.
struct ImagePlanner {
    let input: ImageInput

    /// Plans of all images of the input, an OCI layout or else a docker-archive.
    func plans() throws(LaminaError) -> [ImagePlan] {
        if let index = try input.document("index.json") { return try layoutPlans(index) }
        if let manifest = try input.document("manifest.json") {
            return try DockerArchive(input).plans(manifest)
        }
        throw LaminaError(
            .badInput, input.name,
            "is neither an OCI layout (no index.json) nor a docker-archive (no manifest.json)")
    }

    private func layoutPlans(_ bytes: [UInt8]) throws(LaminaError) -> [ImagePlan] {
        let name = "\(input.name): index.json"
        let index = try DocumentParsing.parse(ImageIndex.self, from: bytes, named: name)
        var plans: [ImagePlan] = []
        for descriptor in index.manifests where !Self.isAttestation(descriptor) {
            let manifest = try imageManifest(descriptor, depth: 0)
            plans.append(try plan(manifest, references: references(descriptor)))
        }
        guard !plans.isEmpty else { throw LaminaError(.badInput, input.name, "holds no image") }
        return plans
    }

    /// BuildKit's attestations stand in indexes as manifests of no platform.
    private static func isAttestation(_ descriptor: ContentDescriptor) -> Bool {
        descriptor.platform?.os == "unknown"
            || descriptor.annotations?["vnd.docker.reference.type"] == "attestation-manifest"
    }

    /// The manifest that a descriptor leads to, through nested indexes by platform.
    private func imageManifest(
        _ descriptor: ContentDescriptor, depth: Int
    ) throws(LaminaError) -> Document {
        let name = "manifest \(descriptor.digest)"
        if MediaType.isManifest(descriptor.mediaType) { return try document(descriptor, named: name) }
        guard MediaType.isIndex(descriptor.mediaType) else {
            throw LaminaError(.badInput, name, "unknown media type \"\(descriptor.mediaType)\"")
        }
        guard depth < 4 else { throw LaminaError(.badInput, name, "indexes are nested too deeply") }
        let index = try DocumentParsing.parse(
            ImageIndex.self, from: try document(descriptor, named: name).bytes, named: name)
        let images = index.manifests.filter { !Self.isAttestation($0) }
        let host = Platform.host
        let match =
            images.first { $0.platform?.os == host.os && $0.platform?.architecture == host.architecture }
            ?? images.first { $0.platform == nil }
        guard let match else {
            let found = images.compactMap { $0.platform?.description }.joined(separator: ", ")
            throw LaminaError(.badInput, name, "has no image for \(host), only for: \(found)")
        }
        return try imageManifest(match, depth: depth + 1)
    }

    private func plan(_ document: Document, references: [String]) throws(LaminaError) -> ImagePlan {
        let name = "manifest \(document.digest)"
        let manifest = try DocumentParsing.parse(ImageManifest.self, from: document.bytes, named: name)
        guard MediaType.configs.contains(manifest.config.mediaType) else {
            throw LaminaError(
                .badInput, "config \(manifest.config.digest)",
                "unknown media type \"\(manifest.config.mediaType)\"")
        }
        let config = try self.document(manifest.config, named: "config \(manifest.config.digest)")
        let configuration = try Self.configuration(config)
        let diffIDs = configuration.rootfs.diffIDs
        guard manifest.layers.count == diffIDs.count else {
            throw LaminaError(
                .badInput, name, "lists \(manifest.layers.count) layers, its config \(diffIDs.count)")
        }
        var layers: [LayerPlan] = []
        for (layer, diffID) in zip(manifest.layers, diffIDs) { layers.append(try plan(layer, diffID)) }
        return ImagePlan(
            references: references, manifest: document, config: config, configuration: configuration,
            layers: layers)
    }

    private func plan(_ layer: ContentDescriptor, _ diffID: Digest) throws(LaminaError) -> LayerPlan {
        guard let compression = MediaType.layerCompression(layer.mediaType) else {
            throw LaminaError(.badInput, "layer \(layer.digest)", "unknown media type \"\(layer.mediaType)\"")
        }
        guard let size = UInt64(exactly: layer.size) else {
            throw LaminaError(.badInput, "layer \(layer.digest)", "its size is negative")
        }
        return LayerPlan(
            member: Self.blobMember(layer.digest), diffID: diffID,
            expectation: LayerExpectation(
                compression: compression, blobDigest: layer.digest, blobSize: size, diffID: diffID))
    }

    /// The config's value, with what Lamina needs of it checked.
    static func configuration(_ config: Document) throws(LaminaError) -> ImageConfig {
        let name = "config \(config.digest)"
        let value = try DocumentParsing.parse(ImageConfig.self, from: config.bytes, named: name)
        guard value.rootfs.type == "layers" else {
            throw LaminaError(.badInput, name, "rootfs.type is \"\(value.rootfs.type)\", not \"layers\"")
        }
        guard !value.rootfs.diffIDs.isEmpty else { throw LaminaError(.badInput, name, "has no layers") }
        guard value.rootfs.diffIDs.count <= Limits.layersPerImage else {
            throw LaminaError(.badInput, name, "has more than \(Limits.layersPerImage) layers")
        }
        return value
    }

    static func blobMember(_ digest: Digest) -> ByteString {
        ByteString("blobs/sha256/\(digest.hex)")
    }

    /// A document's bytes, verified against its descriptor.
    private func document(
        _ descriptor: ContentDescriptor, named name: String
    ) throws(LaminaError) -> Document {
        guard let bytes = try input.document(Self.blobMember(descriptor.digest)) else {
            throw LaminaError(.badInput, name, "is missing from \(input.name)")
        }
        guard Int64(bytes.count) == descriptor.size else {
            throw LaminaError(
                .badInput, name, "has \(bytes.count) bytes, its descriptor says \(descriptor.size)")
        }
        let found = SHA256.digest(of: bytes.raw)
        guard found == descriptor.digest else {
            throw LaminaError(.badInput, name, "digest does not match: got \(found)")
        }
        return Document(digest: found, mediaType: descriptor.mediaType, bytes: bytes)
    }

    /// The names that annotations give: a full one, or a tag for the input's own name. What is
    /// no image name is no name; the image still loads.
    private func references(_ descriptor: ContentDescriptor) -> [String] {
        let annotations = descriptor.annotations ?? [:]
        let tag = annotations["org.opencontainers.image.ref.name"]
        if let name = annotations["io.containerd.image.name"], let reference = try? ImageReference(name) {
            // umoci gives a new image a tag of its own, and all other annotations of the one that it was made from.
            if let tag, ImageReference.isTag(tag), reference.digest == nil, tag != reference.tag,
                let other = try? ImageReference("\(reference.domain)/\(reference.path):\(tag)")
            {
                return [other.normalised]
            }
            return [reference.normalised]
        }
        guard let name = tag else { return [] }
        if !ImageReference.isTag(name) { return (try? ImageReference(name)).map { [$0.normalised] } ?? [] }
        guard let base = input.baseName?.lowercased(), !base.contains(":") else { return [] }
        return (try? ImageReference("\(base):\(name)")).map { [$0.normalised] } ?? []
    }
}
