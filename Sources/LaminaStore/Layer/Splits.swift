// Splits owns the `splits` file of a layer: where its objects stood in the tar.
// Written to docs/FORMAT.md, section "splits".

import LaminaCodec
import LaminaCore

/// One payload that became an object.
public struct Split: Hashable, Sendable {
    /// Where its first byte stands in the tar: a multiple of 512.
    public var offset: UInt64
    /// Bytes of the payload.
    public var length: UInt64
    public var digest: Digest
    /// The bytes from the payload's end to the next multiple of 512 (or the tar's end),
    /// where one of them is not zero; otherwise empty.
    public var padding: [UInt8]

    public init(offset: UInt64, length: UInt64, digest: Digest, padding: [UInt8] = []) {
        self.offset = offset
        self.length = length
        self.digest = digest
        self.padding = padding
    }

    /// Bytes of padding that a whole tar has behind the payload.
    public var paddingLength: UInt64 { (512 - length % 512) % 512 }
}

/// The contents of a `splits` file.
public struct Splits: Hashable, Sendable {
    public var diffID: Digest
    /// Bytes of the whole tar.
    public var tarSize: UInt64
    /// Bytes of the `stream` file.
    public var streamSize: UInt64
    /// In the order of the tar.
    public var records: [Split]
    /// Objects that are sparse files of the tar with their holes. The tar's own bytes of
    /// these are in the stream.
    public var expanded: [Digest]

    /// Every object that the layer needs; one of several places stands there as often.
    public var objects: [Digest] { records.map(\.digest) + expanded }

    public init(
        diffID: Digest, tarSize: UInt64, streamSize: UInt64, records: [Split] = [], expanded: [Digest] = []
    ) {
        self.diffID = diffID
        self.tarSize = tarSize
        self.streamSize = streamSize
        self.records = records
        self.expanded = expanded
    }

    static let magic = Array("LAMSPLIT".utf8)
    static let version: UInt32 = 1
    static let headerSize = 80
    static let recordSize = 56
    static let paddingSlot = 512

    /// The file's bytes. O(records).
    public func encoded() -> [UInt8] {
        let padded = records.filter { !$0.padding.isEmpty }
        var bytes = Self.magic
        bytes.reserveCapacity(Self.headerSize + records.count * Self.recordSize + 32)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: padded.count))
        bytes.append(littleEndian: UInt64(records.count))
        bytes.append(littleEndian: tarSize)
        bytes.append(littleEndian: streamSize)
        bytes += diffID.bytes
        bytes.append(littleEndian: UInt64(expanded.count))
        var slot: UInt32 = 0
        for record in records {
            bytes.append(littleEndian: record.offset)
            bytes.append(littleEndian: record.length)
            bytes += record.digest.bytes
            if !record.padding.isEmpty { slot += 1 }
            bytes.append(littleEndian: record.padding.isEmpty ? 0 : slot)
            bytes.append(littleEndian: UInt32(record.padding.count))
        }
        for record in padded {
            bytes += record.padding
            bytes += [UInt8](repeating: 0, count: Self.paddingSlot - record.padding.count)
        }
        for digest in expanded { bytes += digest.bytes }
        return bytes + SHA256.digest(of: bytes.raw).bytes
    }

    /// Reads a file's bytes and checks all of them. O(records). Nil when they are not what
    /// `encoded` writes.
    public init?(decoding bytes: [UInt8]) {
        guard bytes.count >= Self.headerSize + Digest.byteCount else { return nil }
        let body = bytes.count - Digest.byteCount
        let sum = SHA256.digest(of: bytes.span.extracting(0..<body).raw)
        guard bytes.starts(with: Self.magic), Digest(bytes: bytes[body...]) == sum,
            bytes.littleEndian(UInt32.self, at: 8) == Self.version,
            let diffID = Digest(bytes: bytes[40..<72])
        else { return nil }
        let slots = Int(bytes.littleEndian(UInt32.self, at: 12))
        let count = bytes.littleEndian(UInt64.self, at: 16)
        let expandedCount = bytes.littleEndian(UInt64.self, at: 72)
        let room = body - Self.headerSize
        guard count <= UInt64(room / Self.recordSize), slots <= room / Self.paddingSlot,
            expandedCount <= UInt64(room / Digest.byteCount),
            Int(count) * Self.recordSize + slots * Self.paddingSlot + Int(expandedCount) * Digest.byteCount
                == room
        else { return nil }
        self.init(
            diffID: diffID, tarSize: bytes.littleEndian(UInt64.self, at: 24),
            streamSize: bytes.littleEndian(UInt64.self, at: 32))
        let paddings = Self.headerSize + Int(count) * Self.recordSize
        for index in 0..<Int(count) {
            guard
                let record = Self.record(
                    bytes, at: Self.headerSize + index * Self.recordSize, paddings, slots)
            else { return nil }
            records.append(record)
        }
        for start in stride(
            from: paddings + slots * Self.paddingSlot, to: body, by: Digest.byteCount)
        {
            guard let digest = Digest(bytes: bytes[start..<start + Digest.byteCount]) else { return nil }
            expanded.append(digest)
        }
        guard isConsistent else { return nil }
    }

    private static func record(_ bytes: [UInt8], at start: Int, _ paddings: Int, _ slots: Int) -> Split? {
        guard let digest = Digest(bytes: bytes[(start + 16)..<(start + 48)]) else { return nil }
        let slot = Int(bytes.littleEndian(UInt32.self, at: start + 48))
        let length = Int(bytes.littleEndian(UInt32.self, at: start + 52))
        guard slot <= slots, length < paddingSlot, (slot == 0) == (length == 0) else { return nil }
        let padding = paddings + (slot - 1) * paddingSlot
        return Split(
            offset: bytes.littleEndian(UInt64.self, at: start),
            length: bytes.littleEndian(UInt64.self, at: start + 8), digest: digest,
            padding: slot == 0 ? [] : Array(bytes[padding..<(padding + length)]))
    }

    /// Whether records stand in order within the tar and leave exactly the stream.
    private var isConsistent: Bool {
        var end: UInt64 = 0
        var taken: UInt64 = 0
        for record in records {
            let (last, overflow) = record.offset.addingReportingOverflow(record.length)
            guard record.offset >= end, record.offset % 512 == 0, !overflow, last <= tarSize,
                UInt64(record.padding.count) <= record.paddingLength
            else { return false }
            end = last + min(record.paddingLength, tarSize - last)
            taken += end - record.offset
        }
        return tarSize - taken == streamSize
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// The number at `offset`, which the caller has checked to be within the bytes.
    func littleEndian<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type, at offset: Int) -> Value {
        var value: Value = 0
        for index in 0..<(Value.bitWidth / 8) { value |= Value(self[offset + index]) << (8 * index) }
        return value
    }
}
