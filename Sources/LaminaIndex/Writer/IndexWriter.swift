// IndexWriter owns the bytes of an index: one pass over a planned tree, front to back.
// The same tree gives the same bytes: no clock, no random number, no hash order.

import LaminaCore
import LaminaSystem

/// Writes a tree as an index.
struct IndexWriter: ~Copyable {
    private var output = OutputBuffer()

    private init() {}

    /// Writes `table` to `file` from its position on and returns the number of bytes.
    /// The caller makes it durable.
    static func write(
        _ table: borrowing NodeTable, devices: [TreeDevice], to file: borrowing Descriptor
    ) throws(IndexError) -> Int {
        guard devices.count <= Limits.layersPerImage else { throw .layerCount(devices.count) }
        let plan = try IndexPlan(table, deviceCount: devices.count)
        var writer = IndexWriter()
        try writer.writeHead(plan, devices, to: file)
        let base = Int(plan.metadataBlock) * Erofs.blockSize
        for node in plan.order {
            let nid = plan.nids[Int(node)]
            try writer.output.pad(to: base + Int(nid) * Erofs.slotSize, file)
            try writer.writeInode(Int(node), nid: nid, table, plan, to: file)
        }
        for run in plan.runs {
            let block = Int(plan.dataBlock) + Int(plan.dataBlocks[Int(run.node)])
            try writer.output.pad(to: block * Erofs.blockSize, file)
            switch table.nodes[Int(run.node)].content {
            case .symlink(let target):
                let start = try writer.output.record(Int(target.count), to: file)
                writer.output.put(table.span(target), at: start)
            default: try DirectoryEncoder.write(run, table, plan, &writer.output, to: file)
            }
        }
        let end = Int(plan.blockCount) * Erofs.blockSize
        try writer.output.pad(to: end, file)
        try writer.output.flush(to: file)
        return end
    }

    /// Everything before the metadata area: superblock and device table.
    private mutating func writeHead(
        _ plan: IndexPlan, _ devices: [TreeDevice], to file: borrowing Descriptor
    ) throws(IndexError) {
        let size = Int(plan.metadataBlock) * Erofs.blockSize
        let head = try output.record(size, to: file)
        let start = head + Erofs.superblockOffset
        output.put(Erofs.magic, at: start + SuperblockField.magic)
        output.put(Erofs.compatibleFeatures, at: start + SuperblockField.compatibleFeatures)
        output.put(Erofs.blockBits, at: start + SuperblockField.blockBits)
        output.put(UInt16(Erofs.rootNid), at: start + SuperblockField.rootNid)
        output.put(UInt64(plan.order.count), at: start + SuperblockField.nodeCount)
        output.put(plan.blockCount, at: start + SuperblockField.blocks)
        output.put(plan.metadataBlock, at: start + SuperblockField.metadataBlock)
        let name = Erofs.volumeName
        output.put(name.span, at: start + SuperblockField.volumeName)
        output.put(Erofs.version, at: start + SuperblockField.version)
        output.put(Erofs.incompatibleFeatures, at: start + SuperblockField.incompatibleFeatures)
        output.put(UInt16(devices.count), at: start + SuperblockField.extraDevices)
        output.put(Erofs.deviceTableSlot, at: start + SuperblockField.deviceTableSlot)
        for (index, device) in devices.enumerated() {
            let slot = head + Erofs.deviceTableOffset + index * Erofs.deviceSlotSize
            let tag = Array(device.diffID.hex.utf8)
            output.put(tag.span, at: slot)
            output.put(device.blocks, at: slot + Erofs.tagSize)
        }
        let checksum = CRC32C.superblock(output.bytes(start..<start + Erofs.blockSize))
        output.put(checksum, at: start + SuperblockField.checksum)
    }

    private mutating func writeInode(
        _ number: Int, nid: UInt32, _ table: borrowing NodeTable, _ plan: IndexPlan,
        to file: borrowing Descriptor
    ) throws(IndexError) {
        let node = table.nodes[number]
        let body = Erofs.inodeSize + Int(node.attributes.count)
        let data = try InodeData(number, table, plan, body: body)
        let start = try output.record(data.end, to: file)
        output.put(data.layout.format, at: start + InodeField.format)
        output.put(
            AttributeBlock.count(size: Int(node.attributes.count)), at: start + InodeField.attributeCount)
        output.put(UInt16(truncatingIfNeeded: node.mode), at: start + InodeField.mode)
        output.put(data.size, at: start + InodeField.size)
        output.put(data.union, at: start + InodeField.union)
        output.put(nid, at: start + InodeField.ino)
        output.put(node.uid, at: start + InodeField.uid)
        output.put(node.gid, at: start + InodeField.gid)
        output.put(UInt64(bitPattern: node.seconds), at: start + InodeField.mtime)
        output.put(node.nanoseconds, at: start + InodeField.mtimeNanoseconds)
        output.put(plan.linkCounts[number], at: start + InodeField.linkCount)
        output.put(plan.parents[number], at: start + InodeField.parent)
        output.put(table.span(node.attributes), at: start + Erofs.inodeSize)
        switch node.content {
        case .symlink(let target) where data.layout == .inline:
            output.put(table.span(target), at: start + body)
        case .stream(let slot, let block, _):
            output.put(slot, at: start + data.chunks + 2)
            output.put(block, at: start + data.chunks + 4)
        case .object:
            for chunk in stride(from: data.chunks, to: data.end, by: Erofs.chunkIndexSize) {
                output.put(Erofs.nullAddress, at: start + chunk + 4)
            }
        default: break
        }
    }
}

/// How an inode says where its data is.
private struct InodeData {
    var layout = DataLayout.plain
    var size: UInt64 = 0
    var union: UInt32 = 0
    /// Where chunk indexes start, from the inode's start.
    var chunks: Int
    /// Bytes of inode, xattrs and what follows them.
    var end: Int

    init(
        _ number: Int, _ table: borrowing NodeTable, _ plan: IndexPlan, body: Int
    ) throws(IndexError) {
        chunks = (body + 7) & ~7
        end = body
        switch table.nodes[number].content {
        case .empty: break
        case .device(let encoded): union = encoded
        case .directory(let first, let count):
            size = UInt64(DirectoryEncoder.size(table, first: first, count: count))
            union = plan.dataBlock + plan.dataBlocks[number]
        case .symlink(let target):
            size = UInt64(target.count)
            if body + Int(target.count) <= Erofs.blockSize {
                layout = .inline
                end = body + Int(target.count)
            } else {
                union = plan.dataBlock + plan.dataBlocks[number]
            }
        case .stream(_, _, let length), .object(let length):
            let format = ChunkFormat(size: length)
            layout = .chunked
            size = length
            union = format.field
            let count = if case .stream = table.nodes[number].content { 1 } else { format.count }
            end = chunks + Erofs.chunkIndexSize * count
        }
    }
}
