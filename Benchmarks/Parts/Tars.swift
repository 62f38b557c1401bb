// A layer's headers as they are read, in pieces of a MiB, beside a loop that checks sums and sizes and nothing else.

import Benchmark
import Control
import LaminaCodec
import LaminaCore

private let entries = 20_000

func tars() {
    let tar = tar(of: entries)
    compared("tar of \(entries) small files") {
        var parser = TarParser()
        var found = 0
        var start = 0
        while start < tar.count {
            let piece = tar.span.extracting(start..<min(start + 1 << 20, tar.count))
            var cursor = 0
            while let event = try parser.next(in: piece, at: &cursor) {
                if case .endOfEntry = event { found += 1 }
            }
            start += piece.count
        }
        try parser.finish()
        try demand(found == entries, "\(found) entries")
    } control: {
        // SAFETY: the array lives through the call.
        let found = unsafe tar.withUnsafeBytes { unsafe control_tar($0.baseAddress, $0.count) }
        try demand(found == entries, "\(found) entries")
    }
}

/// A plain ustar archive of files of 100 bytes.
private func tar(of count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity((count + 1) * 1024)
    for number in 0..<count {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) {
            header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        }
        put("usr/share/doc/package\(number / 100)/file\(number)", at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put("00000000144", at: 124)
        put("14505264400", at: 136)
        put("        0", at: 148)
        put("ustar", at: 257)
        put("00", at: 263)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
        bytes += header
        bytes +=
            [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 100)
            + [UInt8](repeating: 0, count: 412)
    }
    return bytes + [UInt8](repeating: 0, count: 1024)
}
