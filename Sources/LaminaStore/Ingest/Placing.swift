// Placing is how content gets its place when somebody keeps account of it.

import LaminaCore

/// Runs `place`, which renames `contents` into their rooms, at a moment at which a crash leaves nothing that nobody
/// knows of. Takes milliseconds.
public typealias Placing = (
    _ contents: [(StoreContent, Digest)], _ place: () throws(StoreError) -> Void
) throws(StoreError) -> Void

extension Store {
    /// Places content of which nobody keeps account.
    public static func placeAtOnce(
        _ contents: [(StoreContent, Digest)], _ place: () throws(StoreError) -> Void
    ) throws(StoreError) {
        try place()
    }
}
