// How an image came to be, step by step.

import LaminaCatalog
import LaminaCore
import LaminaStore

/// One step of an image's history.
public struct ImageStep: Sendable, Hashable {
    /// As it stands in the config (RFC 3339).
    public var created: String?
    /// `created` in seconds since the epoch; nil where it is none.
    public var createdSeconds: Int64?
    public var createdBy: String
    public var comment: String
    /// The layer that the step made; nil for a step that changed no file.
    public var diffID: Digest?
    /// Bytes of the layer's tar; 0 for a step without one.
    public var size: Int64
}

extension Engine {
    /// The history of an image, newest step first, with its layers: those that the config's history
    /// does not account for are steps of which nothing else is known.
    public func history(of image: Image) throws(LaminaError) -> [ImageStep] {
        let details = try details(of: image)
        var layers = image.diffIDs[...]
        var steps: [ImageStep] = []
        for step in details.history {
            let diffID = step.isEmptyLayer ? nil : layers.popFirst()
            steps.append(
                ImageStep(
                    created: step.created, createdSeconds: step.created.flatMap(RFC3339.seconds),
                    createdBy: step.createdBy ?? "", comment: step.comment ?? "", diffID: diffID,
                    size: try tarSize(of: diffID)))
        }
        for diffID in layers {
            steps.append(ImageStep(createdBy: "", comment: "", diffID: diffID, size: try tarSize(of: diffID)))
        }
        return steps.reversed()
    }

    /// History and labels of an image. An image without its config, which prune never takes, has none.
    func details(of image: Image) throws(LaminaError) -> ImageDetails {
        try DocumentParsing.parse(
            ImageDetails.self, from: try config(of: image), named: "config \(image.id)")
    }

    /// The labels of the image with this id.
    func labels(of id: Digest) throws(LaminaError) -> [String: String] {
        let config = try Self.storing("config \(id)") { () throws(StoreError) in try store.readBlob(id) }
        return try DocumentParsing.parse(ImageDetails.self, from: config, named: "config \(id)").labels
    }

    private func tarSize(of diffID: Digest?) throws(LaminaError) -> Int64 {
        guard let diffID else { return 0 }
        return try catalogue { catalog throws(CatalogError) in try catalog.layer(diffID)?.tarSize ?? 0 }
    }
}
