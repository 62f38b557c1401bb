// Saying whose each byte of the store is.

import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

extension Engine {
    /// Calls `visit` for every file and directory of the store, the root first, names in byte order. Their sizes
    /// add up to what `du` says. Beside work on the store the answer is of no one instant.
    /// O(files + references).
    public func owners(_ visit: (OwnedFile) -> Void) throws(LaminaError) {
        let table = try OwnerTable(self)
        try Self.system(root) { () throws(Errno) in
            var walk = try OwnerWalk(store, table)
            try walk.run { (file) throws(Errno) in visit(file) }
        }
    }

    /// Whose a file of the store is, by its path, absolute or below the root; or content by its digest, which may
    /// be there in several ways. O(files + references), for a digest O(references).
    ///
    /// Throws `notFound` for what is not in the store.
    public func explain(_ text: String) throws(LaminaError) -> [StoreOwner] {
        if let digest = Digest(text) {
            let found = try owners(of: digest)
            if found.isEmpty {
                throw LaminaError(.notFound, text, "the store has no content of this digest")
            }
            return found
        }
        let path = ByteString(text)
        let wanted = path.hasPrefix(root.appending("")) ? path.dropFirst(root.count + 1) : path
        let components = wanted.components
        var found: StoreOwner?
        try owners { if $0.path.components == components { found = $0.owner } }
        guard let found else { throw LaminaError(.notFound, text, "is no file of the store") }
        return [found]
    }

    private func owners(of digest: Digest) throws(LaminaError) -> [StoreOwner] {
        let table = try OwnerTable(self)
        var found: [StoreOwner] = []
        for content in StoreContent.allCases {
            let size = try Self.system(root) { () throws(Errno) in try store.diskSize(of: content, digest) }
            if size != nil { found.append(table.owner(of: content, digest)) }
        }
        return found
    }
}
