// LayerReader gives a layer's tar back, bit for bit, from stream, splits and objects.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// The original tar of a stored layer, as a source of bytes. Its SHA-256 is the diffID.
///
/// Keeps at most one object open at a time. A stream or object that is shorter than the
/// splits say ends the tar with `truncated`.
public struct LayerReader: ~Copyable, ByteSource, Sendable {
    private enum Place {
        case stream
        case object(Int, read: UInt64)
        case padding(Int, read: UInt64)
    }

    private let store: Store
    private let stream: Descriptor
    private var object: Descriptor?
    private var place = Place.stream
    private var nextSplit = 0
    /// Bytes of the tar given so far.
    private var position: UInt64 = 0
    /// What the layer consists of.
    public let splits: Splits

    public init(_ store: Store, _ diffID: Digest) throws(StoreError) {
        let splits = try store.readSplits(diffID)
        self.init(store, splits, try store.openLayer(diffID, StorePath.stream))
    }

    private init(_ store: Store, _ splits: Splits, _ stream: consuming Descriptor) {
        self.store = store
        self.splits = splits
        self.stream = stream
    }

    @unsafe
    public mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        if unsafe buffer.isEmpty { return 0 }
        while position < splits.tarSize {
            let got = try unsafe readPlace(buffer)
            position += UInt64(got)
            if got > 0 { return got }
        }
        return 0
    }

    /// Reads where the tar goes on; 0 when that place is exhausted and the next is set.
    private mutating func readPlace(_ buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        switch place {
        case .stream:
            let end = nextSplit < splits.records.count ? splits.records[nextSplit].offset : splits.tarSize
            if position < end { return try unsafe read(stream, buffer, upTo: end - position) }
            place = .object(nextSplit, read: 0)
            object = try open(splits.records[nextSplit].digest)
            nextSplit += 1
            return 0
        case .object(let index, let done):
            let left = splits.records[index].length - done
            guard left > 0, let file = object.take() else {
                place = .padding(index, read: 0)
                return 0
            }
            let got = try unsafe read(file, buffer, upTo: left)
            object = consume file
            place = .object(index, read: done + UInt64(got))
            return got
        case .padding(let index, let done):
            let record = splits.records[index]
            let left = min(record.paddingLength - done, splits.tarSize - position)
            let count = min(Int(left), buffer.count)
            for offset in 0..<count {
                let source = Int(done) + offset
                unsafe buffer[offset] = source < record.padding.count ? record.padding[source] : 0
            }
            place = left == 0 ? .stream : .padding(index, read: done + UInt64(count))
            return count
        }
    }

    private func open(_ digest: Digest) throws(CodecError) -> Descriptor {
        do throws(StoreError) {
            return try store.openObject(digest)
        } catch {
            if case .system(_, let reason) = error { throw .read(reason) }
            throw .read(.noSuchFileOrDirectory)
        }
    }

    private func read(
        _ file: borrowing Descriptor, _ buffer: UnsafeMutableRawBufferPointer, upTo count: UInt64
    ) throws(CodecError) -> Int {
        let wanted = Int(min(count, UInt64(buffer.count)))
        do throws(Errno) {
            // SAFETY: a part of the caller's buffer.
            let got = try unsafe file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
            if got > 0 { return got }
        } catch {
            throw .read(error)
        }
        throw .truncated(.none)
    }
}

extension Store {
    /// The splits of a layer, checked. O(objects of the layer).
    public func readSplits(_ diffID: Digest) throws(StoreError) -> Splits {
        let file = try openLayer(diffID, StorePath.splits)
        let limit = 1 << 30
        let bytes = try doing("read the splits of layer \(diffID)") { () throws(Errno) in
            try file.readBytes(at: 0, count: Int(min(try file.status().size, Int64(limit))))
        }
        guard let splits = Splits(decoding: bytes) else { throw .badSplits(diffID, "malformed") }
        guard splits.diffID == diffID else { throw .badSplits(diffID, "it is of layer \(splits.diffID)") }
        return splits
    }

    /// Reads a stored layer's tar, gives it to `body` part by part, and compares its digest with
    /// the diffID at the end. O(bytes).
    public func readLayer(
        _ diffID: Digest, _ body: (RawSpan) throws(StoreError) -> Void
    ) throws(StoreError) {
        let found = try Self.digest(of: try LayerReader(self, diffID), body)
        guard found == diffID else { throw .digestMismatch(.layer, expected: diffID, found: found) }
    }

    /// Reads a stored layer's tar and compares its digest with the diffID; likewise the
    /// sparse files of it. O(bytes).
    public func verifyLayer(_ diffID: Digest) throws(StoreError) {
        try readLayer(diffID) { (_) throws(StoreError) in }
        for digest in try readSplits(diffID).expanded {
            let source = DescriptorSource(try openObject(digest))
            let found = try Self.digest(of: source) { (_) throws(StoreError) in }
            guard found == digest else { throw .digestMismatch(.object, expected: digest, found: found) }
        }
    }

    private static func digest<Source: ByteSource & ~Copyable>(
        of source: consuming Source, _ body: (RawSpan) throws(StoreError) -> Void
    ) throws(StoreError) -> Digest {
        var source = source
        var buffer = Buffer(capacity: 1 << 20)
        var hash = SHA256()
        while try fill(&buffer, from: &source) {
            hash.update(buffer.bytes.raw)
            try body(buffer.bytes.raw)
        }
        return hash.finish()
    }

    private static func fill<Source: ByteSource & ~Copyable>(
        _ buffer: inout Buffer, from source: inout Source
    ) throws(StoreError) -> Bool {
        do throws(CodecError) {
            return try buffer.fill(from: &source)
        } catch {
            throw .layer(error)
        }
    }
}
