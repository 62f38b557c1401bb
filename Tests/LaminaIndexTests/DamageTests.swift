// Damaged indexes: every byte may lie. A damaged index gives an error or a plausible
// tree; it never crashes the reader, and never makes it read outside the mapping.

import Foundation
import LaminaCore
import LaminaSystem
import Testing

@testable import LaminaIndex

@Suite struct DamageTests {
    /// Writes `bytes` as an index whose superblock checksum is right again, so that what
    /// lies behind it is reached.
    private func write(_ bytes: [UInt8], to path: String) throws {
        var bytes = bytes
        if bytes.count >= 1536 {
            let checksum = CRC32C.superblock(bytes.raw.extracting(1024..<1536))
            for index in 0..<4 {
                bytes[1028 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index))
            }
        }
        try createFile(path).writeAll(bytes)
    }

    /// Does everything that can be done with an index; gives how many calls were refused.
    private func exercise(_ path: String) -> Int {
        guard let tree = try? openTree(path) else { return 1 }
        var refused = 0
        var pending = [Tree.root]
        var seen: Set<UInt64> = []
        while let nid = pending.popLast(), seen.count < 5000 {
            guard seen.insert(nid).inserted else { continue }
            refused += Self.readNode(tree, nid)
            var names: [(ByteString, UInt64)] = []
            let listed: Void? = try? tree.forEachEntry(of: nid, from: 0) { name, child, _, _ in
                names.append((ByteString(name), child))
                return names.count < 5000
            }
            if listed == nil { refused += 1 }
            for (name, child) in names {
                if (try? name.withSpan { try tree.lookup($0, in: nid) }) == nil { refused += 1 }
                pending.append(child)
            }
        }
        let shared = SharedTree(tree)
        if let output = try? createFile(path + ".merged") {
            if (try? ChainMerge.write([shared, shared], to: output)) == nil { refused += 1 }
        }
        return refused
    }

    private static func readNode(_ tree: borrowing Tree, _ nid: UInt64) -> Int {
        var refused = 0
        if (try? tree.node(nid)) == nil { refused += 1 }
        if (try? tree.content(nid)) == nil { refused += 1 }
        if (try? tree.symlinkTarget(nid)) == nil { refused += 1 }
        if (try? tree.extendedAttributes(nid)) == nil { refused += 1 }
        if (try? tree.isOpaque(nid)) == nil { refused += 1 }
        let name: ByteString = "user.a"
        if (try? name.withSpan { try tree.extendedAttribute(nid, $0) }) == nil { refused += 1 }
        return refused
    }

    private func sample() throws -> [UInt8] {
        try withScratch { scratch in
            try SampleLayer(id: 1, seed: 5, scale: 8).layer.write(to: scratch + "/index")
            return try [UInt8](Data(contentsOf: URL(filePath: scratch + "/index")))
        }
    }

    @Test(arguments: 0..<8) func flippedBytes(_ part: Int) throws {
        let good = try sample()
        try withScratch { scratch in
            var random = SeededGenerator(seed: UInt64(part))
            var refused = 0
            for _ in 0..<150 {
                var bytes = good
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    let place = Int.random(in: 1024..<bytes.count, using: &random)
                    bytes[place] =
                        [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)].randomElement(
                            using: &random) ?? 0
                }
                try write(bytes, to: scratch + "/index")
                refused += exercise(scratch + "/index")
            }
            #expect(refused > 0)
        }
    }

    /// Every byte of superblock, device table and the first inodes, with every nasty value.
    @Test func everyByteOfTheHead() throws {
        let good = try sample()
        try withScratch { scratch in
            var refused = 0
            for place in 1024..<1024 + 512 + 256 {
                for value in [0x00, 0xFF, 0x80] as [UInt8] {
                    var bytes = good
                    bytes[place] = value
                    try write(bytes, to: scratch + "/index")
                    guard let tree = try? openTree(scratch + "/index") else {
                        refused += 1
                        continue
                    }
                    refused += Self.readNode(tree, Tree.root)
                    _ = try? lookup(tree, "owner")
                }
            }
            #expect(refused > 100)
        }
    }

    @Test func truncatedFiles() throws {
        let good = try sample()
        try withScratch { scratch in
            for length in stride(from: 1, to: good.count, by: 1021) {
                try createFile(scratch + "/index").writeAll(Array(good[..<length]))
                #expect(exercise(scratch + "/index") > 0)
            }
        }
    }

    @Test func saysWhatIsWrong() throws {
        let good = try sample()
        func refusal(_ change: (inout [UInt8]) -> Void, checksum: Bool = true) throws -> IndexError? {
            try withScratch { scratch in
                var bytes = good
                change(&bytes)
                if checksum {
                    try write(bytes, to: scratch + "/index")
                } else {
                    try createFile(scratch + "/index").writeAll(bytes)
                }
                do {
                    _ = try openTree(scratch + "/index")
                } catch let error as IndexError {
                    return error
                }
                return nil
            }
        }
        #expect(try refusal { _ in } == nil)
        #expect(try refusal { $0 = [1, 2, 3] } == .notAnIndex("the file is too short"))
        #expect(try refusal { $0[1024] = 0 } == .notAnIndex("no EROFS superblock"))
        #expect(try refusal { $0[1024 + 64] = 0 } == .notAnIndex("an EROFS image that Lamina did not write"))
        #expect(try refusal { $0[1024 + 72] = 2 } == .unsupportedVersion(2))
        #expect(
            try refusal({ $0[1024 + 16] ^= 1 }, checksum: false) == .damaged("superblock checksum", at: 1024))
        #expect(try refusal { $0[1024 + 87] = 3 } == .layerCount(769))
        #expect(try refusal { $0[1152] = 0x47 } == .damaged("a device tag is no digest", at: 1152))
        #expect(
            try refusal { $0[1024 + 43] = 9 }?.description.hasPrefix("damaged index: the metadata area")
                == true)
    }

    /// A merge copies names and xattrs as they are, and has to look at them for that.
    @Test func mergesNothingThatCannotBeRead() throws {
        var layer = TestLayer(1)
        layer.add("fifo", .fifo, .fifo)
        layer.add("name", .file, .regular, attributes: ["user.key": "value"])
        let good: [UInt8] = try withScratch { scratch in
            try layer.write(to: scratch + "/index")
            return try [UInt8](Data(contentsOf: URL(filePath: scratch + "/index")))
        }
        func merge(_ old: [UInt8], _ new: [UInt8]) throws -> IndexError? {
            try withScratch { scratch in
                var bytes = good
                let place = try #require(bytes.firstRange(of: old))
                bytes.replaceSubrange(place, with: new)
                try write(bytes, to: scratch + "/index")
                let tree = SharedTree(try openTree(scratch + "/index"))
                do {
                    try ChainMerge.write([tree], to: try createFile(scratch + "/merged"))
                } catch let error as IndexError {
                    return error
                }
                return nil
            }
        }
        let key = Array("key".utf8)
        let names = Array("...fifoname".utf8)
        func isDamaged(_ error: IndexError?, _ reason: StaticReason) -> Bool {
            if case .damaged(reason, _) = error { return true }
            return false
        }
        #expect(try merge(key, key) == nil)
        #expect(isDamaged(try merge([3, 1, 5, 0] + key, [3, 9, 5, 0] + key), "xattr namespace"))
        #expect(try merge([3, 1, 5, 0] + key, [250, 1, 5, 0] + key) != nil)
        for byte in [0, UInt8(ascii: "/")] {
            var changed = names
            changed[4] = byte
            #expect(isDamaged(try merge(names, changed), "directory entry name"))
        }
        // An entry: its name's place, 51 for the third of four, and its type: 5 a fifo's, 1 a file's.
        #expect(isDamaged(try merge([51, 0, 5, 0], [51, 0, 1, 0]), "an entry's type is not its inode's"))
    }
}
