import LaminaCore
import LaminaSystem
import Testing

@testable import LaminaIndex

@Suite struct TreeTests {
    @Test func readsAttributes() throws {
        try withScratch { scratch in
            var layer = TestLayer(0xAB)
            layer.streamSize = 100 * 512 - 1
            layer.add(
                "f", .file, .regular, permissions: 0o4711, uid: 70_000, gid: .max - 1,
                mtime: Timestamp(seconds: -5, nanoseconds: 9), data: .stream(offset: 1536, length: 700))
            try layer.write(to: scratch + "/index")
            let tree = try openTree(scratch + "/index")
            #expect(tree.devices == [TreeDevice(diffID: digest(0xAB), blocks: 100)])
            #expect(tree.nodeCount == 2)
            let file = try #require(try lookup(tree, "f"))
            let node = try tree.node(file)
            #expect(node.nid == file)
            #expect(node.type == .regular)
            #expect(node.mode == 0o104711)
            #expect(node.linkCount == 1)
            #expect(node.uid == 70_000)
            #expect(node.gid == UInt32.max - 1)
            #expect(node.size == 700)
            #expect(node.parent == Tree.root)
            #expect(try tree.node(Tree.root).parent == Tree.root)
            #expect(node.mtime == Timestamp(seconds: -5, nanoseconds: 9))
            #expect(!node.hasExtendedAttributes)
            #expect(try tree.content(file) == .stream(device: 0, offset: 1536, length: 700))
        }
    }

    /// Names of all lengths, with bytes that are no text and that sort below and above dots.
    static let names: [ByteString] = {
        var names = Set<ByteString>()
        var generator = SeededGenerator(seed: 3)
        while names.count < 3000 {
            let length = Int.random(in: 1...(names.count % 50 == 0 ? 255 : 12), using: &generator)
            var bytes = (0..<length).map { _ in UInt8.random(in: 1...255, using: &generator) }
            bytes = bytes.map { $0 == UInt8(ascii: "/") ? 0x2D : $0 }
            let name = ByteString(bytes)
            if name != "." && name != ".." && !name.hasPrefix(Whiteout.prefix) { names.insert(name) }
        }
        return names.sorted()
    }()

    @Test func findsEveryNameOfALargeDirectory() throws {
        try withScratch { scratch in
            var layer = TestLayer(1)
            for (number, name) in Self.names.shuffled().enumerated() {
                layer.file(ByteString("d").appending(name), block: UInt64(number % 1000))
            }
            try layer.write(to: scratch + "/index")
            let tree = try openTree(scratch + "/index")
            let directory = try #require(try lookup(tree, "d"))
            var seen: [ByteString] = []
            var cookies: [UInt64] = []
            var nids: Set<UInt64> = []
            try tree.forEachEntry(of: directory, from: 0) { name, nid, type, next in
                seen.append(ByteString(name))
                cookies.append(next)
                nids.insert(nid)
                return type != nil
            }
            #expect(seen == (Self.names + [".", ".."]).sorted())
            #expect(nids.count == seen.count)
            let known = Set(seen)
            for name in seen {
                let found = try name.withSpan { try tree.lookup($0, in: directory) }
                #expect(found.map(nids.contains) == true)
                let longer = name + "x"
                let other = try longer.withSpan { try tree.lookup($0, in: directory) }
                #expect((other != nil) == known.contains(longer))
            }
            #expect(try ByteString().withSpan { try tree.lookup($0, in: directory) } == nil)
            for stop in stride(from: 0, to: seen.count, by: 97) {
                var rest: [ByteString] = []
                try tree.forEachEntry(of: directory, from: cookies[stop]) { name, _, _, _ in
                    rest.append(ByteString(name))
                    return rest.count < 50
                }
                #expect(rest == Array(seen[(stop + 1)...].prefix(50)))
            }
        }
    }

    @Test func symlinksOfAllLengths() throws {
        try withScratch { scratch in
            var layer = TestLayer(1)
            let lengths = [1, 31, 32, 100, 447, 448, 449, 511, 512, 513, 1024, 4095]
            for length in lengths {
                layer.symlink(ByteString("l\(length)"), to: ByteString(Array(repeating: 0x78, count: length)))
            }
            try layer.write(to: scratch + "/index")
            let tree = try openTree(scratch + "/index")
            for length in lengths {
                let nid = try #require(try lookup(tree, ByteString("l\(length)")))
                #expect(try tree.symlinkTarget(nid).count == length)
                #expect(try tree.node(nid).size == UInt64(length))
            }
            #expect(throws: IndexError.notASymlink(1)) { try tree.symlinkTarget(1) }
        }
    }

    @Test func xattrsOneByOne() throws {
        try withScratch { scratch in
            var layer = TestLayer(1)
            layer.directory(
                "d", attributes: ["user.a": "1", "trusted.overlay.opaque": "mine", "trusted.x": ""])
            layer.whiteout("d/.wh..wh..opq")
            try layer.write(to: scratch + "/index")
            let tree = try openTree(scratch + "/index")
            let nid = try #require(try lookup(tree, "d"))
            #expect(try tree.isOpaque(nid))
            #expect(try !tree.isOpaque(Tree.root))
            func value(_ name: ByteString) throws -> [UInt8]? {
                try name.withSpan { try tree.extendedAttribute(nid, $0) }
            }
            #expect(try value("user.a") == Array("1".utf8))
            #expect(try value("trusted.x") == [])
            #expect(try value("trusted.overlay.opaque") == Array("mine".utf8))
            #expect(try value("trusted.overlay.overlay.opaque") == nil)
            #expect(try value("user.b") == nil)
            #expect(try value("user.") == nil)
            #expect(try value("nonsense") == nil)
            #expect(
                try tree.extendedAttributes(nid).map(\.name) == [
                    "trusted.overlay.opaque", "trusted.x", "user.a",
                ])
        }
    }

    @Test func nodeIdsOutsideAreRefused() throws {
        try withScratch { scratch in
            try TestLayer(1).write(to: scratch + "/index")
            let tree = try openTree(scratch + "/index")
            for nid in [0, 1 << 20, UInt64(UInt32.max), .max, .max / 32, 1 << 63] as [UInt64] {
                #expect(throws: IndexError.self) { try tree.node(nid) }
                #expect(throws: IndexError.self) { _ = try lookup(tree, nid) }
            }
        }
    }

    private func lookup(_ tree: borrowing Tree, _ nid: UInt64) throws -> UInt64? {
        try ByteString("x").withSpan { try tree.lookup($0, in: nid) }
    }

    private func lookup(_ tree: borrowing Tree, _ path: ByteString) throws -> UInt64? {
        try LaminaIndexTests.lookup(tree, path)
    }
}

/// A generator that gives the same numbers in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
