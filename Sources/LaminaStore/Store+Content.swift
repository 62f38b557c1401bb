// Looking content up by its digest.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

extension Store {
    /// Whether a blob is there. O(1).
    public func hasBlob(_ digest: Digest) -> Bool { exists(StorePath.blob(digest), in: blobs) }

    /// Whether an object is there. O(1).
    public func hasObject(_ digest: Digest) -> Bool { exists(StorePath.object(digest), in: objects) }

    /// Whether a layer is there, with its index. O(1).
    public func hasLayer(_ diffID: Digest) -> Bool { exists(StorePath.layer(diffID), in: layers) }

    /// Whether a chain's tree is there. O(1).
    public func hasChain(_ chainID: Digest) -> Bool { exists(StorePath.chain(chainID), in: chains) }

    func exists(_ name: ByteString, in room: borrowing Descriptor) -> Bool {
        (try? room.status(of: name)) != nil
    }

    /// Opens a blob for reading.
    public func openBlob(_ digest: Digest) throws(StoreError) -> Descriptor {
        try open(StorePath.blob(digest), in: blobs, .blob, digest)
    }

    /// Opens an object for reading.
    public func openObject(_ digest: Digest) throws(StoreError) -> Descriptor {
        try open(StorePath.object(digest), in: objects, .object, digest)
    }

    /// Opens one file of a layer (`StorePath.stream`, `.splits`, `.index`) for reading.
    public func openLayer(_ diffID: Digest, _ file: ByteString) throws(StoreError) -> Descriptor {
        try open(StorePath.layer(diffID).appending(file), in: layers, .layer, diffID, file)
    }

    /// Opens the tree of a chain for reading.
    public func openChain(_ chainID: Digest) throws(StoreError) -> Descriptor {
        try open(StorePath.chain(chainID), in: chains, .chain, chainID)
    }

    private func open(
        _ name: ByteString, in room: borrowing Descriptor, _ content: StoreContent, _ digest: Digest,
        _ file: ByteString? = nil
    ) throws(StoreError) -> Descriptor {
        do throws(Errno) {
            do throws(Errno) {
                return try room.open(name, O_RDONLY | O_NOFOLLOW)
            } catch Errno.noSuchFileOrDirectory {
                // Who holds a lease goes on reading what lost its last reference meanwhile.
                if let file = try openRetired(content, digest, file) { return file }
                // Or it was given back between the two looks.
                return try room.open(name, O_RDONLY | O_NOFOLLOW)
            }
        } catch Errno.noSuchFileOrDirectory {
            throw .missing(content, digest)
        } catch {
            throw .system("open \(content.rawValue) \(digest)", error)
        }
    }

    /// The bytes of a small blob, verified against its name. O(bytes).
    public func readBlob(_ digest: Digest, limit: Int = Limits.documentSize) throws(StoreError) -> [UInt8] {
        let file = try openBlob(digest)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try file.readAll(limit: limit)
        } catch {
            throw .system("read blob \(digest)", error)
        }
        let found = SHA256.digest(of: bytes.raw)
        guard found == digest else { throw .digestMismatch(.blob, expected: digest, found: found) }
        return bytes
    }
}
