// Changing bytes of a file whose bytes are in two places. A block becomes the file's own
// in this order: its edges from the lower file, the new bytes, its bit.

import Glibc
import LaminaCore
import LaminaSystem

extension UpperData {
    /// Makes a file that somebody opened for writing ready for it: bytes shared or, where
    /// they are few, copied; else a block map.
    /// - Parameter file: the upper file, open for writing.
    func prepareForWriting(_ file: borrowing Descriptor) throws(Errno) {
        if isWhole { return }
        try locked { (state) throws(Errno) in try prepare(&state, file) }
    }

    func prepare(_ state: inout State, _ file: borrowing Descriptor) throws(Errno) {
        switch state.kind {
        case .whole: return
        case .mapped:
            if state.limit == 0 { return try finish(&state, file) }
            try refreshMark(&state, file)
        case .lower:
            if state.limit == 0 { return try finish(&state, file) }
            let copy = try beginCopy(file)
            let copied = try keepingAttributes(of: file) { (file) throws(Errno) -> Bool in
                try copyAll(of: &state, to: file)
            }
            guard copied else { return try startMap(&state, file, copy) }
            try finishCopy(&state, file, copy)
        }
    }

    /// Shares or copies all bytes; false when they are too many for that.
    private func copyAll(of state: inout State, to file: borrowing Descriptor) throws(Errno) -> Bool {
        let content = try loadContent(&state)
        let limit = state.limit
        if limit == content.length, try file.status().size == Int64(clamping: limit),
            try content.clone(to: file)
        {
            return true
        }
        guard limit <= Self.wholeLimit else { return false }
        try content.copy(0..<limit, to: file)
        return true
    }

    /// Runs a change of the bytes at `range` in the upper file; `body` returns how many it
    /// changed from the start of the range.
    func change(
        _ range: Range<UInt64>, of file: borrowing Descriptor, _ body: () throws(Errno) -> UInt64
    ) throws(Errno) -> UInt64 {
        if isWhole { return try body() }
        let done = try locked { (state) throws(Errno) -> UInt64? in
            try prepare(&state, file)
            guard range.lowerBound < state.limit else { return nil }
            let end = min(range.upperBound, state.limit)
            let run = try loadMap(&state).run(at: range.lowerBound, below: end)
            if run.isOwn && run.end >= end { return nil }
            return try own(range, &state, file, body)
        }
        // What is the file's own already needs no lock.
        if let done { return done }
        return try body()
    }

    private func own(
        _ range: Range<UInt64>, _ state: inout State, _ file: borrowing Descriptor,
        _ body: () throws(Errno) -> UInt64
    ) throws(Errno) -> UInt64 {
        let map = try loadMap(&state)
        let first = map.block(at: range.lowerBound)
        try fill(UInt64(first) * map.blockSize..<range.lowerBound, &state, file)
        let done = try body()
        guard done > 0 else { return 0 }
        let end = min(range.lowerBound &+ done, range.upperBound)
        let last = map.block(at: min(end, state.limit) - 1)
        try fill(end..<max(end, UInt64(last + 1) * map.blockSize), &state, file)
        try setWritten(first..<last + 1, &state)
        if state.isComplete {
            // Only a saving: with its map the file is as right.
            try? makeDurable(file)
            try? finish(&state, file)
        }
        return done
    }

    private func setWritten(_ blocks: Range<Int>, _ state: inout State) throws(Errno) {
        guard case .mapped(let name) = state.kind else { return }
        try state.map?.setWritten(blocks)
        upper.maps.markDirty(name, self)
    }

    /// Copies the lower bytes of a part of one block, unless the block is the file's own.
    private func fill(
        _ range: Range<UInt64>, _ state: inout State, _ file: borrowing Descriptor
    ) throws(Errno) {
        let end = min(range.upperBound, state.limit)
        guard range.lowerBound < end else { return }
        guard try !loadMap(&state).run(at: range.lowerBound, below: end).isOwn else { return }
        try loadContent(&state).copy(range.lowerBound..<end, to: file)
    }

    /// Sets the size. What is cut off is not copied first.
    /// - Parameter handle: an `O_PATH` descriptor of the upper file.
    func truncate(_ handle: borrowing Descriptor, to size: UInt64) throws(Errno) {
        guard let target = Int64(exactly: size) else { throw .fileTooLarge }
        if isWhole { return try handle.setPathSize(target) }
        try locked { (state) throws(Errno) in
            if case .lower = state.kind, size > 0 {
                let kept = min(size, state.limit)
                if kept > Self.wholeLimit {
                    try prepare(&state, handle.reopen(O_WRONLY))
                } else if kept > 0 {
                    let file = try handle.reopen(O_WRONLY)
                    let copy = try beginCopy(file)
                    try loadContent(&state).copy(0..<kept, to: file)
                    try handle.setPathSize(target)
                    return try finishCopy(&state, file, copy)
                }
            }
            try handle.setPathSize(target)
            guard size < state.limit else { return try refreshMark(&state, handle) }
            state.limit = size
            if size == 0 { return try finish(&state, handle) }
            state.markIsStale = true
            try refreshMark(&state, handle)
        }
    }

    /// Writes the limit down where a truncation lowered it. Before the file grows again this
    /// must be done, or bytes that were cut off came back.
    private func refreshMark(_ state: inout State, _ handle: borrowing Descriptor) throws(Errno) {
        guard state.markIsStale, case .mapped(let name) = state.kind else { return }
        let mark = BlockMapMark(name: name, limit: state.limit).encoded
        try handle.setExtendedAttribute(upper.convention.blockMap, mark.raw)
        state.markIsStale = false
    }

    private func startMap(
        _ state: inout State, _ file: borrowing Descriptor, _ copy: SharedDescriptor?
    ) throws(Errno) {
        let (name, map) = try upper.maps.create(nid: source, size: loadContent(&state).length)
        do throws(Errno) {
            try upper.setMap(BlockMapMark(name: name, limit: state.limit), of: file)
        } catch {
            try? file.removeMark(upper.convention.blockMap)
            upper.maps.remove(name)
            throw error
        }
        state.kind = .mapped(name)
        state.map = map
        if let copy { setStage(.marked(copy), &state) }
        upper.copiedUp(.byBlock)
    }

    /// Takes the marks and the map away: all bytes are in the upper file, durably, or none are left.
    func finish(_ state: inout State, _ handle: borrowing Descriptor) throws(Errno) {
        let held = upper.isVolatile ? nil : SharedDescriptor(try handle.reopen(O_RDONLY))
        if case .mapped(let name) = state.kind {
            try handle.removeMark(upper.convention.blockMap)
            becomeWhole(&state)
            upper.maps.remove(name)
            // Should the next step fail, it is tried again.
            if let held { setStage(.marked(held), &state) }
        }
        try upper.removeMarks(of: handle)
        becomeWhole(&state)
        if let held { setStage(.unmarked(held), &state) }
    }

    /// Runs a change of bytes that the container must not notice: times and file
    /// capabilities, which every write drops, are put back.
    func keepingAttributes<Value>(
        of file: borrowing Descriptor, _ change: (borrowing Descriptor) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        let before = try file.status()
        let capability = try file.mark("security.capability")
        let result = try change(file)
        if let capability { try file.setExtendedAttribute("security.capability", capability.raw) }
        try file.setTimes(atime: .set(before.atime), mtime: .set(before.mtime))
        return result
    }
}

extension UpperData.State {
    /// Whether no byte is the lower's any more.
    var isComplete: Bool {
        guard case .mapped = kind, let map else { return false }
        return map.isComplete(below: limit)
    }
}
