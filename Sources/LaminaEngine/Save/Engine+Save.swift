// Writing images into one archive, for Lamina and for other tools.

import Foundation
import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaSystem

/// How an archive of images is laid out.
public enum SaveFormat: String, Sendable, Hashable, CaseIterable {
    /// An OCI layout as a tar, which has `manifest.json` for Docker before version 25 too.
    case oci = "oci-archive"
    /// What `docker save` wrote before: layers as plain tars.
    case docker = "docker-archive"
}

/// A layer of which an archive has another blob than the image was loaded with.
public struct RewrittenLayer: Sendable, Hashable {
    public var diffID: Digest
    public var blob: Digest
    public var codec: LayerCompression.Codec
}

extension Engine {
    /// Writes images into a tar; what they share is there once. The same images of the same store give the
    /// same bytes.
    ///
    /// An OCI layout has the manifest by which an image was loaded last, so that its digest stays, as long as
    /// the store has its blobs. Where they were dropped, the layers are compressed anew, by default with zstd: `rewritten`
    /// hears of each. Images without a manifest, and all in a docker-archive, have their layers as plain tars unless
    /// `compression` says otherwise. The image's id and diffIDs stay in any case. O(bytes); a compressed layer is put
    /// aside in the store meanwhile.
    ///
    /// Throws `notFound` for an unknown image, `badInput` when what the store has is not what it was, `usage` for a
    /// compression of a docker-archive.
    public func save(
        _ names: [String], as format: SaveFormat = .oci, compression: LayerCompression? = nil,
        to file: consuming Descriptor, cancellation: Cancellation = Cancellation(),
        rewritten: @escaping (RewrittenLayer) -> Void = { _ in }
    ) throws(LaminaError) {
        if format == .docker, let codec = compression?.codec, codec != .none {
            throw LaminaError(.usage, "--compression \(codec.rawValue)", "a docker-archive has plain tars")
        }
        let lease = try lease()
        var images: [SavedImage] = []
        for (record, references) in try imagesToSave(names) {
            images.append(try savedImage(record, references, plain: format == .docker))
        }
        var writer = ArchiveWriter(file, store, cancellation)
        switch format {
        case .oci:
            var layers = NewLayers(self, compression, rewritten)
            for index in images.indices { try layers.add(to: &images[index], &writer) }
            try Self.writeLayout(images, to: &writer)
        case .docker: try Self.writeDockerArchive(images, to: &writer)
        }
        try writer.finish()
        _ = consume lease
    }

    /// OCI image specification, `image-layout.md`, with `manifest.json` as Docker adds it.
    private static func writeLayout(
        _ images: [SavedImage], to writer: inout ArchiveWriter
    ) throws(LaminaError) {
        try writer.add("oci-layout", JSONBytes.of(["imageLayoutVersion": "1.0.0"]))
        var descriptors: [[String: Any]] = []
        var entries: [[String: Any]] = []
        for image in images {
            for document in [image.manifest, image.config] {
                try writer.add(
                    ImagePlanner.blobMember(document.digest), document.digest, .document(document.bytes))
            }
            for layer in image.layers {
                try writer.add(ImagePlanner.blobMember(layer.digest), layer.digest, layer.blob)
            }
            descriptors += Self.descriptors(of: image)
            entries.append(
                Self.entry(
                    of: image, config: ImagePlanner.blobMember(image.config.digest),
                    layers: image.layers.map { ImagePlanner.blobMember($0.digest) }))
        }
        try writer.add("manifest.json", JSONBytes.of(entries))
        try writer.add(
            "index.json",
            JSONBytes.of([
                "schemaVersion": 2, "mediaType": MediaType.ociIndex, "manifests": descriptors,
            ]))
    }

    /// One for each name, with the annotations by which containerd and other tools know it.
    private static func descriptors(of image: SavedImage) -> [[String: Any]] {
        var base = descriptor(
            image.manifest.mediaType, image.manifest.digest, size: Int64(image.manifest.bytes.count))
        var platform: [String: Any] = ["architecture": image.record.architecture, "os": image.record.os]
        platform["variant"] = image.record.variant
        base["platform"] = platform
        if image.references.isEmpty { return [base] }
        return image.references.map { reference in
            var descriptor = base
            var annotations = ["io.containerd.image.name": reference]
            if let tag = (try? ImageReference(reference))?.tag {
                annotations["org.opencontainers.image.ref.name"] = tag
            }
            descriptor["annotations"] = annotations
            return descriptor
        }
    }

    /// moby `image/spec/v1.2.md`, "Combined Image JSON + Filesystem Changeset Format".
    private static func writeDockerArchive(
        _ images: [SavedImage], to writer: inout ArchiveWriter
    ) throws(LaminaError) {
        var entries: [[String: Any]] = []
        for image in images {
            let config = ByteString("\(image.config.digest.hex).json")
            try writer.add(config, image.config.digest, .document(image.config.bytes))
            var names: [ByteString] = []
            for layer in image.layers {
                let name = ByteString("\(layer.digest.hex).tar")
                try writer.add(name, layer.digest, layer.blob)
                names.append(name)
            }
            entries.append(Self.entry(of: image, config: config, layers: names))
        }
        try writer.add("manifest.json", JSONBytes.of(entries))
    }

    /// An image in `manifest.json`.
    private static func entry(
        of image: SavedImage, config: ByteString, layers: [ByteString]
    ) -> [String: Any] {
        [
            "Config": config.description, "Layers": layers.map(\.description),
            "RepoTags": image.references.isEmpty
                ? NSNull() : image.references.map(ImageReference.familiar) as Any,
        ]
    }
}
