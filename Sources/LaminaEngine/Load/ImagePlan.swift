// What a load found in its input, checked as far as documents go, before any layer is read.

import LaminaCore
import LaminaStore

/// A document as its bytes and their digest.
struct Document: Sendable {
    var digest: Digest
    var mediaType: String
    var bytes: [UInt8]
}

/// One layer of an image in the input.
struct LayerPlan: Sendable, Hashable {
    /// The input's member that holds it.
    var member: ByteString
    var diffID: Digest
    var expectation: LayerExpectation

    /// How messages call it: by what the image lists.
    var name: String { "layer \(expectation.blobDigest ?? diffID)" }

    static func == (left: LayerPlan, right: LayerPlan) -> Bool {
        left.diffID == right.diffID && left.expectation.blobDigest == right.expectation.blobDigest
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(diffID)
        hasher.combine(expectation.blobDigest)
    }
}

/// One image of the input.
struct ImagePlan: Sendable {
    /// Normalised.
    var references: [String]
    var manifest: Document?
    var config: Document
    var configuration: ImageConfig
    /// Lowest first.
    var layers: [LayerPlan]

    var diffIDs: [Digest] { layers.map(\.diffID) }
}
