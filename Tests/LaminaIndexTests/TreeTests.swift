import LaminaCore
import LaminaSystem
import Testing

@testable import LaminaIndex

@Suite struct TreeTests {
    static let diffID = Digest(bytes: Array(repeating: 0xAB, count: 32))!

    /// A root with a directory, a file of 700 bytes at block 3, and a symlink.
    static func small() throws -> NodeTable {
        var table = NodeTable()
        let attributes = FileAttributes(type: .directory, permissions: 0o755)
        table.nodes.append(Node(attributes, content: .directory(first: 0, count: 3)))
        table.nodes.append(Node(attributes, content: .directory(first: 3, count: 0)))
        let file = FileAttributes(
            type: .regular, permissions: 0o4711, uid: 70_000, gid: 3, mtime: Timestamp(seconds: -5, nanoseconds: 9))
        table.nodes.append(Node(file, content: .stream(slot: 1, block: 3, size: 700)))
        let link = FileAttributes(type: .symlink, permissions: 0o777)
        let target = try table.store(Array("../etc".utf8).raw)
        table.nodes.append(Node(link, content: .symlink(target)))
        for (name, node) in [("dir", 1), ("file", 2), ("link", 3)] {
            table.entries.append(Entry(name: try table.store(Array(name.utf8).raw), node: node))
        }
        return table
    }

    @Test func readsWhatItWrote() throws {
        try withScratch { scratch in
            let path = scratch + "/index"
            let device = TreeDevice(diffID: Self.diffID, blocks: 100)
            try write(try Self.small(), devices: [device], to: path)
            let tree = try openTree(path)
            #expect(tree.devices == [device])
            #expect(tree.nodeCount == 4)
            let file = try #require(try tree.lookup(Array("file".utf8).span, in: Tree.root))
            let node = try tree.node(file)
            #expect(node.mode == 0o104711)
            #expect(node.uid == 70_000)
            #expect(node.mtime == Timestamp(seconds: -5, nanoseconds: 9))
            #expect(try tree.content(file) == .stream(device: 0, offset: 1536, length: 700))
            let link = try #require(try tree.lookup(Array("link".utf8).span, in: Tree.root))
            #expect(try tree.symlinkTarget(link) == "../etc")
            #expect(try tree.node(Tree.root).linkCount == 3)
            var names: [ByteString] = []
            try tree.forEachEntry(of: Tree.root, from: 0) { name, _, _, _ in
                names.append(ByteString(name))
                return true
            }
            #expect(names == [".", "..", "dir", "file", "link"])
            #expect(try tree.lookup(Array("nothing".utf8).span, in: Tree.root) == nil)
            #expect(try tree.lookup(Array("..".utf8).span, in: Tree.root) == 1)
        }
    }
}
