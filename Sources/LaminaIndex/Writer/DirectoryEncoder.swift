// Directory blocks: as many entries as fit, sorted, the dots among them.

import LaminaCore
import LaminaSystem

/// Encodes the entries of one directory; size and bytes come from the same walk.
enum DirectoryEncoder {
    /// Bytes of the directory: full blocks, and what the last one uses.
    static func size(_ table: borrowing NodeTable, first: Int, count: Int) -> Int {
        var blocks = 0
        var used = 0
        func add(_ length: Int) {
            if used + Erofs.direntSize + length > Erofs.blockSize {
                blocks += 1
                used = 0
            }
            used += Erofs.direntSize + length
        }
        var dots = Dots()
        for index in first..<first + count {
            let name = table.entries[index].name
            while let dot = dots.next(before: name, table) { add(Int(dot.count)) }
            add(Int(name.count))
        }
        while let dot = dots.next() { add(Int(dot.count)) }
        return blocks * Erofs.blockSize + used
    }

    /// Writes the blocks of a directory of `plan`.
    static func write(
        _ run: IndexPlan.DataRun, _ table: borrowing NodeTable, _ plan: IndexPlan,
        _ output: inout OutputBuffer, to file: borrowing Descriptor
    ) throws(IndexError) {
        guard case .directory(let first, let count) = table.nodes[Int(run.node)].content else { return }
        var block = Block()
        var dots = Dots()
        for index in first..<first + count {
            let entry = table.entries[index]
            while let dot = dots.next(before: entry.name, table) {
                try block.add(Entry(name: dot, node: dots.target(dot, run)), table, plan, &output, file)
            }
            try block.add(entry, table, plan, &output, file)
        }
        while let dot = dots.next() {
            try block.add(Entry(name: dot, node: dots.target(dot, run)), table, plan, &output, file)
        }
        try block.finish(table, plan, &output, file)
    }

    /// Gives `.` and `..` when their turn in the order of names has come.
    private struct Dots {
        private var given = 0

        mutating func next() -> ByteRange? {
            guard given < 2 else { return nil }
            given += 1
            return given == 1 ? .dot : .dotDot
        }

        mutating func next(before name: ByteRange, _ table: borrowing NodeTable) -> ByteRange? {
            guard given < 2, table.precedes(given == 0 ? .dot : .dotDot, name) else { return nil }
            return next()
        }

        func target(_ dot: ByteRange, _ run: IndexPlan.DataRun) -> Int {
            Int(dot == .dot ? run.node : run.parent)
        }
    }

    /// The entries of the block being filled.
    private struct Block {
        private var entries: [Entry] = []
        private var used = 0

        mutating func add(
            _ entry: Entry, _ table: borrowing NodeTable, _ plan: IndexPlan,
            _ output: inout OutputBuffer, _ file: borrowing Descriptor
        ) throws(IndexError) {
            let size = Erofs.direntSize + Int(entry.name.count)
            if used + size > Erofs.blockSize { try finish(table, plan, &output, file) }
            entries.append(entry)
            used += size
        }

        mutating func finish(
            _ table: borrowing NodeTable, _ plan: IndexPlan,
            _ output: inout OutputBuffer, _ file: borrowing Descriptor
        ) throws(IndexError) {
            let start = try output.record(Erofs.blockSize, to: file)
            var name = entries.count * Erofs.direntSize
            for (index, entry) in entries.enumerated() {
                let offset = start + index * Erofs.direntSize
                output.put(UInt64(plan.nids[entry.node]), at: offset)
                output.put(UInt16(name), at: offset + 8)
                output.put(table.nodes[entry.node].type.direntCode, at: offset + 10)
                output.put(table.span(entry.name), at: start + name)
                name += Int(entry.name.count)
            }
            entries.removeAll(keepingCapacity: true)
            used = 0
        }
    }
}
