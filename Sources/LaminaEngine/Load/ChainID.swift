// The name of a stack of layers.

import LaminaCodec
import LaminaCore

enum ChainID {
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
