// TarParser owns the position in one tar and tells, chunk by chunk, what its bytes are.
// It copies headers and never payloads; every byte of the tar passes it exactly once.

import LaminaCore

/// What comes next in a tar.
public enum TarEvent: Sendable {
    /// A header is complete. The entry's `size` bytes of payload start at the cursor.
    case entry(TarEntry)
    /// These bytes of the chunk are payload of the last entry. The parts come in order.
    case payload(Range<Int>)
    /// The payload of the last entry is complete; the cursor stands at its padding.
    case endOfEntry
}

/// Bounds of what a tar may make the parser keep or count.
public struct TarLimits: Sendable, Hashable {
    /// Headers of all kinds.
    public var entries: UInt64
    /// Bytes of one extended header, of all global ones together, and of the map of a sparse file.
    public var extendedHeaderSize: Int
    /// Bytes of all sparse files together, with their holes.
    public var sparseSize: UInt64
    /// Bytes of the link targets and xattrs of all entries. One global header gives its own to
    /// every entry, so that little of a tar can make much of these.
    public var metadataSize: UInt64

    public init(
        entries: UInt64 = UInt64(Limits.entriesPerLayer), extendedHeaderSize: Int = 1 << 20,
        sparseSize: UInt64 = Limits.sparseSize, metadataSize: UInt64 = Limits.metadataSize
    ) {
        self.entries = entries
        self.extendedHeaderSize = extendedHeaderSize
        self.sparseSize = sparseSize
        self.metadataSize = metadataSize
    }
}

/// A push parser of tar: v7, ustar, PAX, GNU and star.
///
/// Missing end blocks are accepted, and whatever stands behind two blocks of zeros. Global
/// extended headers hold for what follows them, as POSIX says. Memory: one header's block
/// and the extended headers in force.
public struct TarParser: ~Copyable {
    enum State {
        case header
        /// The map of a sparse file, in blocks before its payload, of which `remaining` bytes
        /// are still to come.
        case sparseMap(remaining: UInt64)
        /// Payload of an extended header that is collected.
        case extendedHeader(TarExtension, remaining: UInt64, padding: UInt64)
        case payload(remaining: UInt64, padding: UInt64)
        case endOfPayload(padding: UInt64)
        /// Bytes that nobody wants: padding, a volume label's payload.
        case skip(remaining: UInt64)
        case ended
    }

    let limits: TarLimits
    var state = State.header
    private var pending = PendingEntry()
    /// An entry that waits for the map of its holes.
    var waiting: WaitingEntry?
    /// Bytes of the sparse files so far, with their holes.
    var sparseSize: UInt64 = 0
    /// A block that a chunk's end cut; otherwise empty.
    private var partial: [UInt8] = []
    private var collected: [UInt8] = []
    private var sawZeroBlock = false
    private var headers: UInt64 = 0
    private var metadataSize: UInt64 = 0
    private var streamOwner = StreamOwner()
    private var headerOffset: UInt64 = 0
    /// Bytes of the tar that were passed.
    public private(set) var offset: UInt64 = 0

    public init(limits: TarLimits = TarLimits()) {
        self.limits = limits
    }

    /// The next event in `chunk`, from `cursor` on, which moves behind what was passed; nil
    /// when all of the chunk was. The same chunk must be given until then. O(bytes passed),
    /// O(1) over payloads.
    public mutating func next(
        in chunk: Span<UInt8>, at cursor: inout Int
    ) throws(CodecError) -> TarEvent? {
        while true {
            switch state {
            case .header:
                guard let event = try readHeader(chunk, &cursor) else {
                    if cursor >= chunk.count { return nil }
                    continue
                }
                return event
            case .sparseMap(let remaining):
                guard let event = try readSparseMap(chunk, &cursor, remaining) else {
                    if cursor >= chunk.count { return nil }
                    continue
                }
                return event
            case .extendedHeader(let kind, let remaining, let padding):
                let piece = advance(&cursor, in: chunk, by: remaining)
                for index in piece { collected.append(chunk[index]) }
                let left = remaining - UInt64(piece.count)
                state = .extendedHeader(kind, remaining: left, padding: padding)
                if left > 0 { return nil }
                try finishExtension(kind)
                state = .skip(remaining: padding)
            case .payload(let remaining, let padding):
                let piece = advance(&cursor, in: chunk, by: remaining)
                let left = remaining - UInt64(piece.count)
                state =
                    left == 0 ? .endOfPayload(padding: padding) : .payload(remaining: left, padding: padding)
                if !piece.isEmpty { return .payload(piece) }
                if left > 0 { return nil }
            case .endOfPayload(let padding):
                state = .skip(remaining: padding)
                return .endOfEntry
            case .skip(let remaining):
                let piece = advance(&cursor, in: chunk, by: remaining)
                let left = remaining - UInt64(piece.count)
                state = left == 0 ? .header : .skip(remaining: left)
                if left > 0 { return nil }
            case .ended:
                _ = advance(&cursor, in: chunk, by: .max)
                return nil
            }
        }
    }

    /// Called at the end of the tar: throws when it ends within an entry. Padding and end
    /// blocks may be missing.
    public mutating func finish() throws(CodecError) {
        switch state {
        case .header:
            guard partial.allSatisfy({ $0 == 0 }) else { throw fault(.truncatedHeader) }
            if pending.isOpen { throw fault(.danglingExtendedHeader) }
        case .extendedHeader, .sparseMap: throw fault(.truncatedHeader)
        case .payload: throw fault(.truncatedPayload)
        case .endOfPayload, .ended: break
        case .skip: if pending.isOpen { throw fault(.danglingExtendedHeader) }
        }
    }

    /// Moves the cursor over at most `count` bytes of the chunk; returns their range.
    private mutating func advance(_ cursor: inout Int, in chunk: Span<UInt8>, by count: UInt64) -> Range<Int>
    {
        let start = cursor
        let available = max(chunk.count - start, 0)
        cursor = start + Int(min(UInt64(available), count))
        offset &+= UInt64(cursor - start)
        return start..<cursor
    }

    func fault(_ fault: TarFault) -> CodecError {
        .tar(fault, offset: headerOffset)
    }
}

extension TarParser {
    /// Reads a header's block, whole from the chunk where it can.
    private mutating func readHeader(
        _ chunk: Span<UInt8>, _ cursor: inout Int
    ) throws(CodecError) -> TarEvent? {
        if partial.isEmpty { headerOffset = offset }
        return try readBlock(chunk, &cursor) { (parser, block) throws(CodecError) in
            try parser.takeBlock(block)
        }
    }

    /// Gives the next block of 512 bytes to `body`, once it is whole.
    mutating func readBlock(
        _ chunk: Span<UInt8>, _ cursor: inout Int,
        _ body: (inout TarParser, Span<UInt8>) throws(CodecError) -> TarEvent?
    ) throws(CodecError) -> TarEvent? {
        let piece = advance(&cursor, in: chunk, by: UInt64(TarHeader.size - partial.count))
        if piece.count == TarHeader.size { return try body(&self, chunk.extracting(piece)) }
        for index in piece { partial.append(chunk[index]) }
        if partial.count < TarHeader.size { return nil }
        let block = partial
        partial.removeAll(keepingCapacity: true)
        return try body(&self, block.span)
    }

    private mutating func takeBlock(_ block: Span<UInt8>) throws(CodecError) -> TarEvent? {
        if TarHeader.isZero(block) {
            if pending.isOpen { throw fault(.danglingExtendedHeader) }
            if sawZeroBlock { state = .ended }
            sawZeroBlock = true
            return nil
        }
        if sawZeroBlock { throw fault(.loneZeroBlock) }
        headers += 1
        if headers > limits.entries { throw .layer(.tooManyEntries(limit: limits.entries)) }
        let header: TarHeader
        do throws(TarFault) {
            header = try TarHeader(block)
        } catch {
            throw fault(error)
        }
        if let kind = TarExtension(type: header.type) {
            try startExtension(kind, size: UInt64(header.size))
            return nil
        }
        return try startEntry(header)
    }

    /// Decides how many bytes behind a header are payload, and opens the entry.
    private mutating func startEntry(_ header: TarHeader) throws(CodecError) -> TarEvent? {
        let taken = pending
        pending.closeEntry()
        var entry: TarEntry
        let stored: UInt64
        let sparse: PendingSparse?
        do throws(TarFault) {
            stored = try taken.payloadSize(header)
            sparse = try taken.sparse(header)
        } catch {
            throw fault(error)
        }
        do throws(EntryFault) {
            entry = try taken.entry(header, size: stored, isSparse: sparse != nil)
        } catch {
            switch error {
            case .tar(let reason): throw fault(reason)
            case .layer(let reason): throw .layer(reason)
            }
        }
        metadataSize &+= entry.metadataSize
        if metadataSize > limits.metadataSize {
            throw .layer(.metadataTooLarge(limit: limits.metadataSize))
        }
        if sparse == nil {
            // A share of their own: for want of room a stream stays a file, but a layer is refused.
            streamOwner.meet(&entry, room: limits.metadataSize / 4)
        }
        if let sparse { return try startSparse(entry, sparse) }
        let padding = Self.padding(behind: stored)
        // A GNU dump directory carries a list of names, which is no payload of ours.
        state =
            entry.size == stored
            ? .payload(remaining: stored, padding: padding) : .endOfPayload(padding: stored + padding)
        return .entry(entry)
    }

    private mutating func startExtension(_ kind: TarExtension, size: UInt64) throws(CodecError) {
        let padding = Self.padding(behind: size)
        if kind == .volumeLabel { return state = .skip(remaining: size + padding) }
        if size > UInt64(max(limits.extendedHeaderSize, 0)) { throw fault(.extendedHeaderTooLarge) }
        collected.removeAll(keepingCapacity: true)
        state = .extendedHeader(kind, remaining: size, padding: padding)
    }

    private mutating func finishExtension(_ kind: TarExtension) throws(CodecError) {
        do throws(TarFault) {
            try pending.take(kind, collected, globalLimit: limits.extendedHeaderSize)
        } catch {
            throw fault(error)
        }
    }

    /// `size` came from a signed number, so that this and the sum of both cannot overflow.
    static func padding(behind size: UInt64) -> UInt64 {
        (512 - size % 512) % 512
    }
}
