// The merged tree of a chain: made once for all images and sandboxes that share it.

import LaminaCatalog
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem

extension Engine {
    /// Merges the indexes of `diffIDs`, lowest first, as `os` sees them, unless the store has the chain. The caller
    /// holds a lease. O(nodes of the layers).
    func makeChain(_ diffIDs: [Digest], os: String) throws(LaminaError) {
        guard let chainID = ChainID.of(diffIDs, os: os) else { return }
        if store.hasChain(chainID) { return }
        let name = "chain \(chainID)"
        let staged = try stageChain(chainID, diffIDs)
        do throws(StoreError) { try staged.publish(placing: place) } catch {
            throw LaminaError(error, about: name)
        }
    }

    /// The tree of a chain that is in the store.
    func chainTree(_ chainID: Digest) throws(LaminaError) -> Tree {
        try tree(store.openChain(chainID), "chain \(chainID)")
    }

    /// The tree of one layer by itself.
    func layerTree(_ diffID: Digest) throws(LaminaError) -> Tree {
        try tree(store.openLayer(diffID, StorePath.index), "index of layer \(diffID)")
    }

    private func tree(
        _ open: @autoclosure () throws(StoreError) -> Descriptor, _ name: String
    ) throws(LaminaError) -> Tree {
        let file = try Self.storing(name, open)
        let mapped = try Self.system(ByteString(name)) { () throws(Errno) in try MappedFile(file) }
        do throws(IndexError) { return try Tree(mapped) } catch { throw LaminaError(error, about: name) }
    }
}
