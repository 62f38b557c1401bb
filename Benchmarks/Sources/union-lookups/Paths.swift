// Paths owns the names to look up, split and shuffled before the clock starts.

import Glibc
import LaminaCore
import LaminaSystem

/// Paths as ranges of one block of bytes.
struct Paths: Sendable {
    let bytes: [UInt8]
    /// The components of all paths, one path after the other.
    let components: [Range<Int>]
    /// Where each path's components start in `components`, and one more for the end.
    let starts: [Int]
    /// Whether each path's last component is there.
    let lastExists: Bool

    var count: Int { starts.count - 1 }

    init(file: ByteString, misses: Bool) throws(LookupError) {
        let content: [UInt8]
        do {
            content = try Descriptor.open(file, O_RDONLY).readAll(limit: 1 << 30)
        } catch {
            throw LookupError("\(file): \(error)")
        }
        var paths = content.split(separator: 0).map(Array.init)
        guard !paths.isEmpty else { throw LookupError("\(file): no paths") }
        var state: UInt64 = 88_172_645_463_325_252
        for index in paths.indices.reversed() where index > 0 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            paths.swapAt(index, Int(state % UInt64(index + 1)))
        }
        (bytes, components, starts) = Self.split(paths, misses: misses)
        lastExists = !misses
    }

    private static func split(_ paths: [[UInt8]], misses: Bool) -> ([UInt8], [Range<Int>], [Int]) {
        var bytes: [UInt8] = []
        var components: [Range<Int>] = []
        var starts = [0]
        for path in paths {
            var names = path.split(separator: UInt8(ascii: "/")).map(Array.init)
            if misses, let last = names.popLast() { names.append(last + Array(".absent".utf8)) }
            for name in names {
                components.append(bytes.count..<bytes.count + name.count)
                bytes += name
            }
            starts.append(components.count)
        }
        return (bytes, components, starts)
    }
}
