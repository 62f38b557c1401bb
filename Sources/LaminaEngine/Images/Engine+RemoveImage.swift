// Removing images and tags, with Docker's rules.

import LaminaCatalog
import LaminaCore

/// What `removeImage` did.
public struct ImageRemoval: Sendable, Hashable {
    /// Normalised references that are gone.
    public var untagged: [String] = []
    /// The image, when it is gone too.
    public var deleted: Digest?
}

extension Engine {
    /// Removes the name `text` from its image, and the image with its last name. An image
    /// named by its id goes with all its names, several of them only with `force`. Its bytes
    /// stay until `prune`.
    ///
    /// Throws `busy` while a sandbox is based on the image. With `force` only a mounted sandbox
    /// is a hindrance; others keep their layers.
    public func removeImage(_ text: String, force: Bool = false) throws(LaminaError) -> ImageRemoval {
        let image = try record(text)
        let name = (try? ImageReference(text))?.normalised
        var result = ImageRemoval()
        if let name, image.references.contains(name), image.references.count > 1 {
            try catalogue { catalog throws(CatalogError) in try catalog.untag(name) }
            result.untagged = [name]
            return result
        }
        if image.references.count > 1 && !force {
            throw LaminaError(
                .busy, text, "has \(image.references.count) names; remove them one by one or use --force")
        }
        try refuseInUse(image, called: text, force: force)
        try catalogue { catalog throws(CatalogError) in try catalog.removeImage(image.id, force: force) }
        result.untagged = image.references
        result.deleted = image.id
        return result
    }

    private func refuseInUse(_ image: ImageRecord, called text: String, force: Bool) throws(LaminaError) {
        for id in image.sandboxes {
            let sandbox: Sandbox
            do throws(LaminaError) {
                sandbox = try self.sandbox(id)
            } catch where error.code == .notFound {
                continue
            }
            if sandbox.state != .idle {
                throw LaminaError(.busy, text, "is used by mounted sandbox \(sandbox.name)")
            }
            if !force {
                throw LaminaError(.busy, text, "is used by sandbox \(sandbox.name); remove it or use --force")
            }
        }
    }
}
