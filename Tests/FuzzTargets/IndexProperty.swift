// What holds of every index: each question has an answer or an error, and two indexes
// merge or are refused.

import LaminaCore
import LaminaIndex
import LaminaSystem

enum IndexProperty {
    static func check(_ bytes: [UInt8]) -> Bool {
        guard let file = Scratch.file() else { return false }
        do throws(Errno) {
            try file.writeAll(withChecksum(bytes).raw, at: 0)
        } catch {
            return false
        }
        let isWhole = TreeWalk.run(file) == 0
        merge(file)
        return isWhole
    }

    private static func merge(_ file: borrowing Descriptor) {
        guard let mapping = try? MappedFile(file), let tree = try? Tree(mapping),
            let output = Scratch.file()
        else { return }
        let shared = SharedTree(tree)
        guard (try? ChainMerge.write([shared, shared], to: output)) != nil else { return }
        require(TreeWalk.run(output) == 0, "a tree that was merged can be read")
    }

    /// Puts the superblock's checksum right, so that what lies behind it is reached.
    private static func withChecksum(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 1536 else { return bytes }
        var index = bytes
        for place in 1028..<1032 { index[place] = 0 }
        var crc: UInt32 = 0xFFFF_FFFF
        for place in 1024..<1536 {
            crc ^= UInt32(index[place])
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
        }
        for place in 0..<4 { index[1028 + place] = UInt8(truncatingIfNeeded: crc >> UInt32(8 * place)) }
        return index
    }
}
