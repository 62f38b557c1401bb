// Layers as they are decompressed, in pieces of a MiB, beside the library that gets all in one call.

import Benchmark
import Control
import LaminaCodec
import LaminaCore

private typealias Codec =
    @convention(c) (UnsafeRawPointer?, Int, UnsafeMutableRawPointer?, Int) -> Int

func decompression() {
    let plain = compressible(16 << 20)
    // SAFETY: each gets an array and its size, and writes no more than the room that it is told.
    unsafe decompression("gzip", plain, control_gzip, control_gunzip)
    unsafe decompression("zstd", plain, control_zstd, control_unzstd)
    unsafe decompression("lz4", plain, control_lz4, control_unlz4)
}

@unsafe
private func decompression(_ name: String, _ plain: [UInt8], _ compress: Codec, _ decompress: Codec) {
    let packed = unsafe call(compress, plain, room: plain.count + 1 << 20)
    compared("\(name) of 16 MiB") {
        var source = try DecompressingSource(MemorySource(packed))
        var chunk = Buffer(capacity: 1 << 20)
        var count = 0
        while try chunk.fill(from: &source) { count += chunk.count }
        try demand(count == plain.count, "\(name): \(count) bytes")
    } control: {
        try demand(unsafe call(decompress, packed, room: plain.count).count == plain.count, "\(name) failed")
    }
}

@unsafe
private func call(_ codec: Codec, _ bytes: [UInt8], room: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        // SAFETY: both arrays live through the call, which writes no more than `room` bytes.
        count = unsafe bytes.withUnsafeBytes {
            unsafe codec($0.baseAddress, $0.count, UnsafeMutableRawPointer(buffer.baseAddress), room)
        }
    }
}
