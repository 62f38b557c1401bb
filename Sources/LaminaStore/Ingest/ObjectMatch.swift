// ObjectMatch owns the object that a payload has been equal to so far, byte for byte.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// Compares a payload with an object while it comes in. The object stays open, so that it can be
/// read to its end even when its name goes; one that gets shorter is no match.
struct ObjectMatch: ~Copyable {
    /// The object's name. What its bytes are is for the payload's own digest to say.
    let digest: Digest
    private let object: Descriptor
    private var buffer: Buffer

    /// The first of `candidates` that has `size` bytes and starts with `part`.
    static func find(
        _ part: RawSpan, size: UInt64, among candidates: [Digest], in store: borrowing Store
    ) -> ObjectMatch? {
        for digest in candidates {
            guard let object = try? store.openObject(digest), let status = try? object.status(),
                status.type == .regular, UInt64(exactly: status.size) == size
            else { continue }
            var match = ObjectMatch(digest: digest, object, room: part.byteCount)
            if match.agrees(part, at: 0) { return match }
        }
        return nil
    }

    private init(digest: Digest, _ object: consuming Descriptor, room: Int) {
        self.digest = digest
        self.object = object
        buffer = Buffer(capacity: max(room, Store.chunkSize))
    }

    /// Whether the object has the bytes of `part` at `offset`. O(bytes).
    mutating func agrees(_ part: RawSpan, at offset: UInt64) -> Bool {
        var done = 0
        while done < part.byteCount {
            let count = min(part.byteCount - done, buffer.capacity)
            guard read(at: offset + UInt64(done), count: count) else { return false }
            if !buffer.bytes.raw.isEqual(to: part.extracting(done..<done + count)) { return false }
            done += count
        }
        return true
    }

    /// Writes the object's first `count` bytes to `file`, which is empty; blocks are shared where
    /// the filesystem can.
    ///
    /// - Throws: `EIO` when they are not there any more.
    mutating func copy(_ count: UInt64, to file: borrowing Descriptor) throws(Errno) {
        var done = try copyInKernel(count, to: file)
        try file.seek(to: Int64(done))
        while done < count {
            let piece = Int(min(count - done, UInt64(buffer.capacity)))
            guard read(at: done, count: piece) else { throw .ioError }
            try file.writeAll(buffer.bytes.raw)
            done += UInt64(piece)
        }
    }

    /// How many bytes the kernel copied by itself.
    private borrowing func copyInKernel(_ count: UInt64, to file: borrowing Descriptor) throws(Errno)
        -> UInt64
    {
        var done: UInt64 = 0
        while done < count {
            let got: Int
            do throws(Errno) {
                got = try file.copyRange(
                    from: object, sourceOffset: Int64(done), to: Int64(done),
                    count: Int(min(count - done, 1 << 30)))
            } catch {
                // Some filesystems cannot; what went wrong otherwise, a plain write will say.
                if error == .noSpace || error == .ioError { throw error }
                return done
            }
            if got <= 0 { return done }
            done += UInt64(got)
        }
        return done
    }

    /// Whether `count` bytes at `offset` are in the buffer now.
    private mutating func read(at offset: UInt64, count: Int) -> Bool {
        (try? buffer.fill(from: object, at: Int64(offset), count: count)) == true
    }
}
