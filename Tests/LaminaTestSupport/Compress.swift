// The four compressions of layers, for tests that need a compressed one.

import CISAL
import CLZ4
import CZstd
import LaminaCodec

/// `bytes` as one member or frame of `compression`.
public func compress(_ bytes: [UInt8], _ compression: Compression) -> [UInt8] {
    switch compression {
    case .none: bytes
    case .gzip: gzip(bytes)
    case .zstd: zstd(bytes)
    case .lz4: lz4(bytes)
    }
}

private func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 8 + 4096)
    var input = bytes
    // SAFETY: the library reads and writes within the sizes given.
    let count = unsafe input.withUnsafeMutableBufferPointer { source in
        unsafe output.withUnsafeMutableBufferPointer { target in
            var stream = unsafe isal_zstream()
            unsafe isal_deflate_stateless_init(&stream)
            unsafe stream.next_in = source.baseAddress
            unsafe stream.avail_in = UInt32(source.count)
            unsafe stream.next_out = target.baseAddress
            unsafe stream.avail_out = UInt32(target.count)
            unsafe stream.end_of_stream = 1
            unsafe stream.gzip_flag = UInt16(IGZIP_GZIP)
            precondition(unsafe isal_deflate_stateless(&stream) == COMP_OK)
            return Int(unsafe stream.total_out)
        }
    }
    return Array(output[..<count])
}

private func zstd(_ bytes: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    // SAFETY: the library reads and writes within the sizes given.
    let count = unsafe ZSTD_compress(&output, output.count, bytes, bytes.count, 1)
    return Array(output[..<count])
}

private func lz4(_ bytes: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: LZ4F_compressFrameBound(bytes.count, nil))
    // SAFETY: the library reads and writes within the sizes given.
    let count = unsafe LZ4F_compressFrame(&output, output.count, bytes, bytes.count, nil)
    return Array(output[..<count])
}
