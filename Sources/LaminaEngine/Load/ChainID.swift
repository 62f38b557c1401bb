// The name of a stack of layers.

import LaminaCodec
import LaminaCore

enum ChainID {
    /// The name of the tree that a container sees. Windows sees one directory of its layers (`WindowsLayers`), and
    /// that tree has a name of its own, since the same layers might be another system's.
    static func of(_ diffIDs: [Digest], os: String) -> Digest? {
        guard os == WindowsLayers.os, let chain = of(diffIDs) else { return of(diffIDs) }
        return SHA256.digest(of: Array("\(WindowsLayers.root) \(chain)".utf8).raw)
    }

    /// The ChainID of layers, lowest first; nil for none.
    ///
    /// OCI image specification, `config.md`, "Layer ChainID".
    static func of(_ diffIDs: [Digest]) -> Digest? {
        guard var chain = diffIDs.first else { return nil }
        for diffID in diffIDs.dropFirst() {
            chain = SHA256.digest(of: Array("\(chain) \(diffID)".utf8).raw)
        }
        return chain
    }
}
