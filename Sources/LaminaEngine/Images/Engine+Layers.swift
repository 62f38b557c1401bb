// Layers by themselves: what the store has of them, their tars, and whether they are whole.

import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

/// A layer in the store.
public struct Layer: Sendable, Hashable {
    public var diffID: Digest
    /// Bytes of its uncompressed tar.
    public var tarSize: Int64
    /// Entries of the tar that its tree was made of.
    public var entryCount: Int64
    /// The compressed blobs that it was loaded from, kept or not.
    public var blobs: [Digest]
    /// How many images have it; 0 after an interrupted load or a removed image.
    public var imageCount: Int
}

extension Engine {
    /// All layers by diffID, also those that no image has. O(layers + images).
    public func layers() throws(LaminaError) -> [Layer] {
        var counts: [Digest: Int] = [:]
        let images = try catalogue { catalog throws(CatalogError) in try catalog.images() }
        for diffID in images.flatMap({ Set($0.diffIDs) }) { counts[diffID, default: 0] += 1 }
        let diffIDs = try catalogue { catalog throws(CatalogError) in try catalog.layers() }
        var result: [Layer] = []
        for diffID in diffIDs.sorted(by: { $0.hex < $1.hex }) {
            let record = try catalogue { catalog throws(CatalogError) in try catalog.layer(diffID) }
            guard let record else { continue }
            result.append(
                Layer(
                    diffID: diffID, tarSize: record.tarSize, entryCount: record.entryCount,
                    blobs: record.blobs.map(\.digest).filter { $0 != diffID },
                    imageCount: counts[diffID] ?? 0))
        }
        return result
    }

    /// The layer whose diffID `text` is or begins, with or without `sha256:`.
    ///
    /// Throws `notFound`, or `badInput` when several diffIDs start so.
    public func layer(_ text: String) throws(LaminaError) -> Digest {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        let diffIDs = try catalogue { catalog throws(CatalogError) in try catalog.layers() }
        let found = digits.isEmpty ? [] : diffIDs.filter { $0.hex.hasPrefix(digits) }
        guard let diffID = found.first else { throw LaminaError(.notFound, text, "no such layer") }
        guard found.count == 1 else {
            throw LaminaError(.badInput, text, "is ambiguous: several diffIDs start with it")
        }
        return diffID
    }

    /// Writes a layer's original tar to `file`, bit for bit. Throws `badInput`, when all is written,
    /// if its digest is not the diffID. O(bytes).
    public func writeTar(of diffID: Digest, to file: borrowing Descriptor) throws(LaminaError) {
        // A prune must not take an object away that is to be read next.
        let lease = try lease()
        do throws(StoreError) {
            try store.readLayer(diffID) { (bytes) throws(StoreError) in
                do throws(Errno) { try file.writeAll(bytes) } catch { throw .system("write its tar", error) }
            }
        } catch {
            throw LaminaError(error, about: "layer \(diffID)")
        }
        _ = consume lease
    }

    /// Reads everything that the store has of an image, rebuilds each layer's tar, and compares it
    /// all with its digests. Throws what is the matter with the first thing that is not whole. O(bytes).
    public func verify(_ image: Image) throws(LaminaError) {
        let lease = try lease()
        for document in [image.id] + image.manifests {
            try Self.storing("blob \(document)") { () throws(StoreError) in _ = try store.readBlob(document) }
        }
        for diffID in image.diffIDs {
            try Self.storing("layer \(diffID)") { () throws(StoreError) in try store.verifyLayer(diffID) }
        }
        if store.hasChain(image.chainID) { _ = try chainTree(image.chainID) }
        _ = consume lease
    }
}
