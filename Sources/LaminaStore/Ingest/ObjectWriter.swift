// ObjectWriter owns the payload that is just becoming an object, and knows which objects
// this layer has brought.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// Turns payloads into files of the staging directory, unless the store has them.
///
/// A payload that lies whole in one chunk is hashed first and written only when it is new.
/// A longer one is written while it is hashed, and dropped when it turns out to be known.
struct ObjectWriter: ~Copyable {
    private var hash = SHA256()
    private var file: Descriptor?
    private var writeBehind = WriteBehind()
    private var size: UInt64 = 0
    private var written: UInt64 = 0
    private var known: Set<Digest> = []
    /// Every object of the layer once, in the order of the tar.
    private(set) var all: [Digest] = []
    /// Those that lie in the staging directory, under their hexadecimal names.
    private(set) var staged: [Digest] = []
    private(set) var stagedSize: UInt64 = 0

    static let temporaryName: ByteString = "object"

    /// Starts a payload of `size` bytes.
    mutating func begin(size: UInt64) {
        self.size = size
        written = 0
    }

    /// Takes the next part of the payload; the digest when it is complete.
    mutating func write(
        _ part: RawSpan, _ staging: borrowing IngestDirectory
    ) throws(Errno) -> Digest? {
        hash.update(part)
        written += UInt64(part.byteCount)
        let isLast = written == size
        if isLast && file == nil {
            let digest = hash.finishAndReset()
            if register(digest, in: staging.store) {
                let object = try staging.create(ByteString(digest.hex))
                try object.writeAll(part)
                object.startWriteback(0..<Int64(part.byteCount))
            }
            return digest
        }
        if file == nil { file = try staging.create(Self.temporaryName) }
        try file?.writeAll(part)
        if let range = writeBehind.wrote(part.byteCount) { file?.startWriteback(range) }
        guard isLast else { return nil }
        if let range = writeBehind.rest() { file?.startWriteback(range) }
        writeBehind = WriteBehind()
        file = nil
        let digest = hash.finishAndReset()
        try adopt(Self.temporaryName, digest, size: size, staging)
        return digest
    }

    /// Takes a file that lies complete in the staging directory as `name` for the object `digest`;
    /// `size` is what it takes there.
    mutating func adopt(
        _ name: ByteString, _ digest: Digest, size: UInt64, _ staging: borrowing IngestDirectory
    ) throws(Errno) {
        self.size = size
        if register(digest, in: staging.store) {
            try staging.descriptor.rename(name, to: staging.descriptor, ByteString(digest.hex))
        } else {
            try staging.descriptor.removeFile(name)
        }
    }

    /// Notes an object of this layer; whether neither store nor layer had it.
    private mutating func register(_ digest: Digest, in store: Store) -> Bool {
        guard known.insert(digest).inserted else { return false }
        all.append(digest)
        if store.hasObject(digest) { return false }
        staged.append(digest)
        stagedSize += size
        return true
    }
}
