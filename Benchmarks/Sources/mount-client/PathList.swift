// PathList owns the paths of a run as C strings in one block, made and shuffled before the clock starts.

import Glibc
import LaminaCore
import LaminaSystem

/// Paths relative to the root of the tree, in the order in which they are used.
struct PathList: Sendable {
    /// The paths, each with a NUL behind it.
    private var bytes: [UInt8] = []
    private var starts: [Int] = []

    var count: Int { starts.count }

    init() {}

    /// Reads a file of paths, each with a NUL behind it.
    init(file: String) throws(ClientError) {
        do {
            bytes = try Descriptor.open(ByteString(file), O_RDONLY).readAll(limit: 1 << 30)
        } catch {
            throw ClientError("\(file): \(error)")
        }
        guard bytes.last == 0 else { throw ClientError("\(file): no list of paths") }
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == 0 {
            starts.append(start)
            start = index + 1
        }
    }

    /// `PREFIX0000`, `PREFIX0001` and so on below `directory`.
    init(_ prefix: String, count: Int, in directory: String) {
        for number in 0..<count { append("\(directory)/\(prefix)\(number)".utf8) }
    }

    /// Every path with each of `names` behind it.
    func appending(_ names: [String]) -> PathList {
        var result = PathList()
        for start in starts {
            let path = bytes[start...].prefix { $0 != 0 }
            for name in names { result.append(Array(path) + [UInt8(ascii: "/")] + Array(name.utf8)) }
        }
        return result
    }

    private mutating func append(_ path: some Sequence<UInt8>) {
        starts.append(bytes.count)
        bytes.append(contentsOf: path)
        bytes.append(0)
    }

    /// The same order in every run: a fixed seed.
    func shuffled() -> PathList {
        var result = self
        var random = XorShift(seed: 1)
        for index in starts.indices.reversed() where index > 0 {
            result.starts.swapAt(index, random.next(below: index + 1))
        }
        return result
    }

    /// Calls `body` with each path of a share.
    func forEach(_ part: Part, _ body: (UnsafePointer<CChar>) -> Void) {
        // SAFETY: every start lies in the block, which ends in NUL; CChar and UInt8 have one layout.
        unsafe bytes.withUnsafeBytes { block in
            guard let base = unsafe block.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            for index in part.numbers(below: starts.count) { unsafe body(base + starts[index]) }
        }
    }

    /// Calls `body` with the paths of this list and of another of the same length, in pairs.
    func forEachPair(
        with other: PathList, _ part: Part, _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Void
    ) {
        // SAFETY: as in forEach.
        unsafe bytes.withUnsafeBytes { block in
            guard let base = unsafe block.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            unsafe other.bytes.withUnsafeBytes { second in
                guard let otherBase = unsafe second.baseAddress?.assumingMemoryBound(to: CChar.self) else {
                    return
                }
                for index in part.numbers(below: starts.count) {
                    unsafe body(base + starts[index], otherBase + other.starts[index])
                }
            }
        }
    }
}

/// Marsaglia's generator: good enough to jump about, the same everywhere.
struct XorShift {
    private var state: UInt64

    init(seed: Int) {
        state = 88_172_645_463_325_252 &+ UInt64(truncatingIfNeeded: seed) &* 7919
    }

    mutating func next(below limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }
}
