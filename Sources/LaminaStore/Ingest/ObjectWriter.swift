// ObjectWriter owns the payload that is just becoming an object, and knows which objects
// this layer has brought.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// An object that lies in the staging directory under its hexadecimal name.
struct StagedObject: Sendable {
    var digest: Digest
    var size: UInt64
}

/// Turns payloads into files of the staging directory, unless the store has them.
///
/// A payload that lies whole in one chunk is hashed first and written only when it is new.
/// A longer one is compared with an object of its size as long as they agree, and written from
/// where they differ; or written from the start when the store has none like it.
struct ObjectWriter: ~Copyable {
    private var hash = SHA256()
    private var file: Descriptor?
    /// The object that all of the payload so far is equal to; then there is no file.
    private var match: ObjectMatch?
    private var writeBehind = WriteBehind()
    private var size: UInt64 = 0
    private var written: UInt64 = 0
    private var known: Set<Digest> = []
    /// Every object of the layer once, in the order of the tar.
    private(set) var all: [Digest] = []
    /// Those that the store did not have.
    private(set) var staged: [StagedObject] = []
    private(set) var stagedSize: UInt64 = 0

    static let temporaryName: ByteString = "object"

    /// Starts a payload of `size` bytes.
    mutating func begin(size: UInt64) {
        self.size = size
        written = 0
    }

    /// Takes the next part of the payload, and hashes it for the whole layer in passing; the
    /// digest when it is complete.
    mutating func write(
        _ part: RawSpan, hashing layer: inout SHA256, _ staging: borrowing IngestDirectory
    ) throws(Errno) -> Digest? {
        hash.update(part, with: &layer)
        let start = written
        written += UInt64(part.byteCount)
        let isLast = written == size
        if isLast && start == 0 { return try writeWhole(part, staging) }
        if start == 0 {
            match = ObjectMatch.find(
                part, size: size, among: staging.store.objectSizes.candidates(size: size, in: staging.store),
                in: staging.store)
        }
        if try !isMatched(part, at: start, staging) {
            if file == nil { file = try staging.create(Self.temporaryName) }
            try file?.writeAll(part)
            if let range = writeBehind.wrote(part.byteCount) { file?.startWriteback(range) }
        }
        return isLast ? try finish(staging) : nil
    }

    /// Takes a payload that came in one part.
    private mutating func writeWhole(
        _ payload: RawSpan, _ staging: borrowing IngestDirectory
    ) throws(Errno) -> Digest {
        let digest = hash.finishAndReset()
        if register(digest, in: staging.store) {
            let object = try staging.create(ByteString(digest.hex))
            try object.writeAll(payload)
            object.startWriteback(0..<Int64(payload.byteCount))
        }
        return digest
    }

    /// Whether `part` needs no writing. At the first difference the file starts with what agreed.
    private mutating func isMatched(
        _ part: RawSpan, at start: UInt64, _ staging: borrowing IngestDirectory
    ) throws(Errno) -> Bool {
        guard var match = match.take() else { return false }
        // The first part was compared when the match was found.
        if start == 0 || match.agrees(part, at: start) {
            self.match = consume match
            return true
        }
        let file = try staging.create(Self.temporaryName)
        try match.copy(start, to: file)
        if let range = writeBehind.wrote(Int(clamping: start)) { file.startWriteback(range) }
        self.file = consume file
        return false
    }

    /// Called behind the last part.
    private mutating func finish(_ staging: borrowing IngestDirectory) throws(Errno) -> Digest {
        let digest = hash.finishAndReset()
        if var match = match.take() {
            // The object's name may have gone meanwhile, or never have been that of its bytes.
            if register(digest, in: staging.store) {
                let object = try staging.create(ByteString(digest.hex))
                try match.copy(size, to: object)
                object.startWriteback(0..<Int64(clamping: size))
            }
            return digest
        }
        if let range = writeBehind.rest() { file?.startWriteback(range) }
        writeBehind = WriteBehind()
        file = nil
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
        staged.append(StagedObject(digest: digest, size: size))
        stagedSize += size
        return true
    }
}
