// Giving sandboxes other names.

import LaminaCatalog
import LaminaCore

extension Engine {
    /// Gives a sandbox another name; a mount goes on.
    ///
    /// Throws `notFound` for an unknown sandbox, `badInput` for a name that is none, `busy` for one that
    /// is taken.
    public func rename(_ text: String, to name: String) throws(LaminaError) {
        let sandbox = try sandbox(text)
        try Self.checkName(name)
        try catalogue { catalog throws(CatalogError) in try catalog.rename(sandbox.id, to: name) }
    }

    static func checkName(_ name: String) throws(LaminaError) {
        guard NameGenerator.isValid(name) else {
            throw LaminaError(
                .badInput, name, "is not a sandbox name: letters, digits, '_', '.' and '-' only")
        }
    }
}
