// IndexPlan owns the decision where everything of an index stands, before a byte of it
// is written: node ids, link counts and directory blocks, all from the tree alone.

import LaminaCore

/// The places of inodes and directory blocks of one index.
///
/// Inodes stand in the order in which their names are met: the children of one directory
/// together, then those of its subdirectories in the order of their names. So a listing
/// with attributes reads neighbouring bytes.
struct IndexPlan {
    /// Node numbers in the order of their inodes.
    private(set) var order: [Int32] = []
    /// Of each node: its nid, or 0 when nothing leads to it.
    private(set) var nids: [UInt32]
    /// Of each node: how many names it has, or 2 and its subdirectories.
    private(set) var linkCounts: [UInt32]
    /// Of each node: the nid of the directory of its first name; the root's is its own.
    private(set) var parents: [UInt32]
    /// What has blocks of its own, in the order of those.
    private(set) var runs: [DataRun] = []
    /// Of each node that is a directory or a symlink outside its inode: its data's first
    /// block, counted from `dataBlock`.
    private(set) var dataBlocks: [UInt32]
    /// Bytes of the metadata area, a multiple of the block size.
    private(set) var metadataSize = Erofs.slotSize
    /// Blocks of directories and far symlinks.
    private(set) var dataBlockCount: UInt32 = 0
    /// The first block of the metadata area.
    let metadataBlock: UInt32

    /// A directory's entries, or a symlink's target that does not fit behind its inode.
    struct DataRun {
        var node: Int32
        /// The directory above a directory.
        var parent: Int32
        var size: Int
    }

    /// The first block behind the metadata area.
    var dataBlock: UInt32 { metadataBlock + UInt32(metadataSize / Erofs.blockSize) }
    var blockCount: UInt32 { dataBlock + dataBlockCount }

    init(_ table: borrowing NodeTable, deviceCount: Int) throws(IndexError) {
        let count = table.nodes.count
        guard count < Int32.max else { throw .tooLarge("2^31 nodes") }
        nids = Array(repeating: 0, count: count)
        linkCounts = Array(repeating: 0, count: count)
        dataBlocks = Array(repeating: 0, count: count)
        parents = Array(repeating: UInt32(Erofs.rootNid), count: count)
        order.reserveCapacity(count)
        let head = Erofs.deviceTableOffset + deviceCount * Erofs.deviceSlotSize
        metadataBlock = UInt32((head + Erofs.blockSize - 1) / Erofs.blockSize)
        try placeAll(table)
        metadataSize = (metadataSize + Erofs.blockSize - 1) & ~(Erofs.blockSize - 1)
        let blocks = metadataSize / Erofs.blockSize + Int(metadataBlock) + Int(dataBlockCount)
        guard blocks < Int(Erofs.nullAddress) else { throw .tooLarge("2 TiB of index") }
    }

    private mutating func placeAll(_ table: borrowing NodeTable) throws(IndexError) {
        var pending: [(node: Int32, parent: Int32)] = [(0, 0)]
        try place(0, table)
        while let (node, parent) = pending.popLast() {
            guard case .directory(let first, let count) = table.nodes[Int(node)].content else { continue }
            let size = DirectoryEncoder.size(table, first: first, count: count)
            try claimBlocks(DataRun(node: node, parent: parent, size: size))
            var subdirectories: UInt32 = 0
            let children = pending.count
            for index in first..<first + count {
                let entry = table.entries[index]
                if nids[entry.node] == 0 {
                    try place(entry.node, table)
                    parents[entry.node] = nids[Int(node)]
                }
                if case .directory = table.nodes[entry.node].content {
                    subdirectories += 1
                    pending.append((Int32(entry.node), node))
                } else {
                    linkCounts[entry.node] += 1
                }
            }
            pending[children...].reverse()
            linkCounts[Int(node)] = 2 + subdirectories
        }
    }

    /// Gives `node` the next place for an inode.
    private mutating func place(_ node: Int, _ table: borrowing NodeTable) throws(IndexError) {
        let item = table.nodes[node]
        let body = Erofs.inodeSize + Int(item.attributes.count)
        var start = metadataSize
        var size = body
        switch item.content {
        case .stream(_, _, let bytes):
            guard ChunkFormat(size: bytes).count == 1 else {
                throw .tooLarge("1 TiB of one file in a stream")
            }
            size = ((body + 7) & ~7) + Erofs.chunkIndexSize
        case .object(let bytes):
            let chunks = ChunkFormat(size: bytes).count
            guard chunks <= ChunkFormat.maximumCount else { throw .tooLarge("a file of more than 1 PiB") }
            size = ((body + 7) & ~7) + Erofs.chunkIndexSize * chunks
        case .symlink(let target) where body + Int(target.count) <= Erofs.blockSize:
            size = body + Int(target.count)
            // All of it in one block, as the kernel wants of inline data.
            if start % Erofs.blockSize + size > Erofs.blockSize {
                start = (start + Erofs.blockSize - 1) & ~(Erofs.blockSize - 1)
            }
        case .symlink(let target):
            try claimBlocks(DataRun(node: Int32(node), parent: 0, size: Int(target.count)))
        case .empty, .directory, .device: break
        }
        guard let nid = UInt32(exactly: start / Erofs.slotSize) else { throw .tooLarge("128 GiB of inodes") }
        nids[node] = nid
        order.append(Int32(node))
        metadataSize = (start + size + Erofs.slotSize - 1) & ~(Erofs.slotSize - 1)
    }

    private mutating func claimBlocks(_ run: DataRun) throws(IndexError) {
        dataBlocks[Int(run.node)] = dataBlockCount
        runs.append(run)
        let blocks = (run.size + Erofs.blockSize - 1) / Erofs.blockSize
        guard let sum = UInt32(exactly: Int(dataBlockCount) + blocks) else {
            throw .tooLarge("2 TiB of directories")
        }
        dataBlockCount = sum
    }
}
