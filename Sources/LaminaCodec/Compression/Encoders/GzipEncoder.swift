// GzipEncoder owns one gzip member that several threads compress: runs of a fixed size, each ending at a
// byte's boundary and looking back at no other, so that they can be made side by side.

import CISAL
import LaminaCore
import LaminaSystem

/// Encodes one gzip member (RFC 1952) of deflate blocks, by ISA-L.
final class GzipEncoder: Encoder {
    /// Bytes of one run.
    static let runSize = 1 << 20
    /// Magic, deflate, no flags, no time, no hint, unknown system.
    private static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
    /// An empty last block with fixed codes.
    private static let lastBlock: [UInt8] = [3, 0]

    private let level: UInt32
    private let threads: Int
    private var runs: [[UInt8]] = [[]]
    private var checksum: UInt32 = 0
    private var size: UInt32 = 0
    private var hasBegun = false

    init(level: Int32, threads: Int) {
        self.level = UInt32(clamping: min(max(level, 0), 3))
        self.threads = max(threads, 1)
    }

    func encode(_ bytes: Span<UInt8>, _ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError) {
        try begin(output)
        var start = 0
        while start < bytes.count {
            if runs[runs.count - 1].count == Self.runSize {
                if runs.count == threads { try flush(output) } else { runs.append([]) }
            }
            let last = runs.count - 1
            let end = min(start + Self.runSize - runs[last].count, bytes.count)
            let part = bytes.extracting(start..<end)
            // SAFETY: reads the part; the checksum's function takes a pointer and a length.
            unsafe part.withUnsafeBufferPointer { buffer in
                unsafe runs[last].append(contentsOf: buffer)
                checksum = unsafe crc32_gzip_refl(checksum, buffer.baseAddress, UInt64(buffer.count))
            }
            size &+= UInt32(truncatingIfNeeded: part.count)
            start = end
        }
    }

    func finish(_ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError) {
        try begin(output)
        try flush(output)
        var end = Self.lastBlock
        for value in [checksum, size] {
            for shift in stride(from: 0, to: 32, by: 8) {
                end.append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
            }
        }
        try output(end.raw)
    }

    private func begin(_ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError) {
        if hasBegun { return }
        hasBegun = true
        try output(Self.header.raw)
    }

    /// Compresses all runs, the first on this thread.
    private func flush(_ output: (RawSpan) throws(CodecError) -> Void) throws(CodecError) {
        let pending = runs.filter { !$0.isEmpty }.map { GzipRun($0, level: level) }
        runs = [[]]
        if pending.count > 1 {
            Self.compress(pending.dropFirst(), beside: pending[0])
        } else {
            pending.first?.compress()
        }
        for run in pending {
            guard let result = run.result else { throw .encoding(.gzip, "error \(run.code)") }
            try output(result.raw)
        }
    }

    /// A thread for each run but the first; where none can be had, this one does it.
    private static func compress(_ runs: ArraySlice<GzipRun>, beside first: GzipRun) {
        guard let run = runs.first else { return first.compress() }
        do throws(Errno) {
            let worker = try Worker(run) { $0.compress() }
            compress(runs.dropFirst(), beside: first)
            worker.join()
        } catch {
            run.compress()
            compress(runs.dropFirst(), beside: first)
        }
    }
}

/// One run: touched by the thread that compresses it, and by its owner before and after.
@safe
private final class GzipRun: @unchecked Sendable {
    // SAFETY: the owner waits for the thread before it looks.
    private let bytes: [UInt8]
    private let level: UInt32
    private(set) var result: [UInt8]?
    private(set) var code: Int32 = 0

    init(_ bytes: [UInt8], level: UInt32) {
        self.bytes = bytes
        self.level = level
    }

    func compress() {
        var input = bytes
        var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 8 + 4096)
        // What the library's highest level asks for is enough for all.
        var room = [UInt8](repeating: 0, count: level == 0 ? 0 : 1 << 20)
        // SAFETY: the library reads and writes within the sizes given, and keeps nothing.
        let count = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe room.withUnsafeMutableBufferPointer { room in
                    var stream = unsafe isal_zstream()
                    unsafe isal_deflate_stateless_init(&stream)
                    unsafe stream.next_in = source.baseAddress
                    unsafe stream.avail_in = UInt32(source.count)
                    unsafe stream.next_out = target.baseAddress
                    unsafe stream.avail_out = UInt32(target.count)
                    unsafe stream.level = level
                    unsafe stream.level_buf = room.baseAddress
                    unsafe stream.level_buf_size = UInt32(room.count)
                    unsafe stream.flush = UInt16(FULL_FLUSH)
                    unsafe stream.end_of_stream = 0
                    unsafe stream.gzip_flag = UInt16(IGZIP_DEFLATE)
                    code = unsafe isal_deflate_stateless(&stream)
                    return Int(unsafe stream.total_out)
                }
            }
        }
        if code == COMP_OK { result = Array(output[..<count]) }
    }
}
