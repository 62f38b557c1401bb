// Finding images by what people call them.

import LaminaCatalog
import LaminaCore
import LaminaStore

extension Engine {
    /// All images, newest in the store first. O(images + their layers).
    public func images() throws(LaminaError) -> [Image] {
        let records = try catalogue { catalog throws(CatalogError) in try catalog.images() }
        var result: [Image] = []
        for record in records { result.append(try image(record)) }
        return result
    }

    /// The image that `text` names, in Docker's order: a reference, then an id (with or without
    /// `sha256:`) or a manifest's digest, then the start of an id.
    ///
    /// Throws `notFound`, or `badInput` when several ids start so.
    public func image(_ text: String) throws(LaminaError) -> Image {
        try image(try record(text))
    }

    func record(_ text: String) throws(LaminaError) -> ImageRecord {
        let found = try catalogue { catalog throws(CatalogError) -> ImageRecord? in
            if let digest = Digest(text) {
                if let image = try catalog.image(id: digest) { return image }
                return try catalog.image(manifest: digest)
            }
            guard let reference = try? ImageReference(text) else { return nil }
            if let digest = reference.digest { return try catalog.image(manifest: digest) }
            return try catalog.image(reference: reference.normalised)
        }
        return if let found { found } else { try record(idPrefix: text) }
    }

    private func record(idPrefix text: String) throws(LaminaError) -> ImageRecord {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        let found = try catalogue { catalog throws(CatalogError) in
            digits.isEmpty ? [] : try catalog.images(idPrefix: digits)
        }
        guard let record = found.first else { throw LaminaError(.notFound, text, "no such image") }
        guard found.count == 1 else {
            throw LaminaError(.badInput, text, "is ambiguous: several image ids start with it")
        }
        return record
    }

    private func image(_ record: ImageRecord) throws(LaminaError) -> Image {
        var unpacked: Int64 = 0
        var content = record.configSize + (record.manifests.first?.size ?? 0)
        var kept: Int64 = 0
        let listed = record.manifests.first?.blobs ?? []
        for (position, diffID) in record.diffIDs.enumerated() {
            let layer = try catalogue { catalog throws(CatalogError) in try catalog.layer(diffID) }
            guard let layer else { continue }
            unpacked += layer.tarSize
            let blob = layer.blobs.first { position < listed.count && $0.digest == listed[position] }
            // A blob that is not known is the tar itself, or that of a docker-archive.
            content += blob?.size ?? layer.tarSize
            for blob in layer.blobs where blob.digest != diffID && store.hasBlob(blob.digest) { kept += blob.size }
        }
        return Image(record, contentSize: content, unpackedSize: unpacked, diskUsage: unpacked + kept)
    }

    /// The bytes of an image's config, as they were loaded.
    public func config(of image: Image) throws(LaminaError) -> [UInt8] {
        try Self.storing("config \(image.id)") { () throws(StoreError) in try store.readBlob(image.id) }
    }
}
