// Giving images names.

import LaminaCatalog
import LaminaCore

extension Engine {
    /// Gives the image that `text` means the name `name`, which another image loses.
    ///
    /// Throws `notFound` for an unknown image, `badInput` for a name that is none or holds a digest.
    public func tag(_ text: String, as name: String) throws(LaminaError) {
        let reference = try newName(name)
        // Keeps a prune from the image that is about to be named.
        let lease = try lease()
        let image = try record(text)
        do throws(CatalogError) {
            try catalog.tag(reference, image: image.id)
        } catch {
            throw LaminaError(error)
        }
        _ = consume lease
    }

    /// A name that an image may get, normalised.
    func newName(_ text: String) throws(LaminaError) -> String {
        let reference = try ImageReference(text)
        if reference.digest != nil {
            throw LaminaError(.badInput, text, "refusing to create a tag with a digest reference")
        }
        return reference.normalised
    }
}
