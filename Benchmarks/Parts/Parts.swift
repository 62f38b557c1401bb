// Parts of Lamina by themselves, each beside a control: the same work by a library alone or a loop in C. What is asked
// of them is a ratio of the two in one run (Benchmarks/micro), never a time.

import Benchmark
import Glibc

let benchmarks: @Sendable () -> Void = {
    // SAFETY: set once, before any benchmark runs.
    unsafe Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput], warmupIterations: 3, maxDuration: .seconds(2), maxIterations: 1000
    )
    hashing()
    decompression()
    tars()
    do {
        try lookups()
        try changes()
        try catalogue()
    } catch {
        print("Parts: \(error)")
        exit(1)
    }
}

/// Registers what is measured and its control under one name; each runs its work once a call.
func compared(
    _ name: String, lamina: @escaping () throws -> Void, control: @escaping () throws -> Void
) {
    Benchmark("\(name): lamina") { benchmark in
        for _ in benchmark.scaledIterations { try lamina() }
    }
    Benchmark("\(name): control") { benchmark in
        for _ in benchmark.scaledIterations { try control() }
    }
}

/// What makes a figure worthless.
struct PartError: Error, CustomStringConvertible {
    var description: String
}

func demand(_ isRight: Bool, _ what: String) throws {
    if !isRight { throw PartError(description: what) }
}

/// Bytes that compress as the files of an image do, to a third or so.
func compressible(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    var state: UInt64 = 88_172_645_463_325_252
    while bytes.count < count {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        // Runs of what was there before, between bytes that were not.
        let length = min(Int(state >> 58) + 4, count - bytes.count)
        if bytes.count > 4096, state & 7 != 0 {
            let start = bytes.count - 128 - Int((state >> 8) % 4000)
            for place in max(0, start)..<max(0, start) + length { bytes.append(bytes[place]) }
        } else {
            for shift in 0..<length {
                bytes.append(UInt8(truncatingIfNeeded: state >> UInt64(shift % 8 * 8)))
            }
        }
    }
    return bytes
}
