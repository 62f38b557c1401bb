// LayerTarSource owns a layer's tar while it is made: headers from items, bytes from their files, one open
// at a time. A file that changes its size meanwhile keeps the one that its header says.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// Where the files of items are.
protocol LayerFiles: Sendable {
    /// Opens the bytes of an item; nil for one that has none. An error caused by `ESTALE` leaves it out.
    func open(_ item: LayerItem) throws(LaminaError) -> LayerFile?
}

/// The tar of items, as a source of bytes.
struct LayerTarSource: ~Copyable, ByteSource, Sendable {
    private let files: any LayerFiles
    private let items: [LayerItem]
    private let failure: LayerTarFailure
    private var next = 0
    /// Bytes that are ready: a header, padding, the end.
    private var ready: [UInt8] = []
    private var readyStart = 0
    private var file: LayerFile?
    /// What of the open file is still to come.
    private var segments: [Range<UInt64>] = []
    private var padding = 0
    private var isAtEnd = false
    /// Files that were removed since they were listed.
    private var leftOut: Set<ByteString> = []

    /// Holes of at least this many bytes, and of half a file, are worth a sparse member.
    private static let sparseGain: UInt64 = 1 << 20

    /// - Parameter failure: says afterwards why the tar ended early, in words that name the file.
    init(_ items: [LayerItem], of files: any LayerFiles, failure: LayerTarFailure) {
        self.items = items
        self.files = files
        self.failure = failure
    }

    @unsafe
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(CodecError) -> Int {
        if unsafe buffer.isEmpty { return 0 }
        while true {
            if readyStart < ready.count { return unsafe takeReady(buffer) }
            if let segment = segments.first {
                return try unsafe readFile(segment, buffer)
            }
            if file != nil {
                file = nil
                makeReady([UInt8](repeating: 0, count: padding))
            } else if next < items.count {
                try begin(items[next])
                next += 1
            } else if isAtEnd {
                return 0
            } else {
                isAtEnd = true
                makeReady(TarHeaderWriter.end)
            }
        }
    }

    private mutating func makeReady(_ bytes: [UInt8]) {
        ready = bytes
        readyStart = 0
    }

    private mutating func takeReady(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, ready.count - readyStart)
        // SAFETY: `count` bytes are in both.
        unsafe ready.span.extracting(readyStart..<readyStart + count).withUnsafeBytes { piece in
            unsafe buffer.copyMemory(from: piece)
        }
        readyStart += count
        return count
    }

    private mutating func begin(_ item: LayerItem) throws(CodecError) {
        var entry = item.entry
        do throws(LaminaError) {
            if case .hardLink(let target) = entry.kind, leftOut.contains(target) { return }
            guard let file = try files.open(item) else { return makeReady(TarHeaderWriter.header(of: entry)) }
            entry.size = file.size
            if let modified = file.modified { entry.attributes.mtime = modified }
            segments = file.size > 0 ? [0..<file.size] : []
            if file.size >= Self.sparseGain {
                let data = try Engine.system(entry.path) { () throws(Errno) in try file.dataSegments() }
                if let data, let map = SparseMap(size: file.size, segments: data),
                    file.size - map.dataSize >= max(Self.sparseGain, file.size / 2)
                {
                    entry.sparse = map
                    segments = map.segments
                }
            }
            self.file = file
        } catch  where error.cause as? Errno == .staleNFSFileHandle {
            leftOut.insert(entry.path)
            return
        } catch {
            failure.note(error)
            throw .read(.ioError)
        }
        padding = TarHeaderWriter.padding(behind: entry.sparse?.dataSize ?? entry.size)
        makeReady(TarHeaderWriter.header(of: entry))
    }

    private mutating func readFile(
        _ segment: Range<UInt64>, _ buffer: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        let count = Int(clamping: min(UInt64(buffer.count), UInt64(segment.count)))
        // SAFETY: a part of the caller's buffer.
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        var got = 0
        do throws(Errno) {
            got = try unsafe file?.read(into: part, at: segment.lowerBound) ?? 0
        } catch {
            failure.note(LaminaError(items[max(next - 1, 0)].entry.path, error))
            throw .read(error)
        }
        if got == 0 {
            // It was cut since its header was written.
            unsafe part.initializeMemory(as: UInt8.self, repeating: 0)
            got = part.count
        }
        let rest = segment.lowerBound + UInt64(got)..<segment.upperBound
        if rest.isEmpty { segments.removeFirst() } else { segments[0] = rest }
        return got
    }
}
