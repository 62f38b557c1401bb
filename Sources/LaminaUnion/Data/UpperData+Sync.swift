// Making written blocks durable, and making a file whole.

import Glibc
import LaminaCore
import LaminaSystem

extension UpperData {
    /// `fsync(2)` or `fdatasync(2)`: the file first, then the bits that were set before. The first one
    /// of a copy syncs once more, or a power cut could bring its marks back.
    func sync(_ file: borrowing Descriptor, dataOnly: Bool) throws(Errno) {
        let point = try syncPoint()
        // fdatasync(2) would leave the removal of marks out.
        if dataOnly && point.stage.isSettled { try file.syncData() } else { try file.sync() }
        try advance(from: point)
        guard case .marked = point.stage else { return }
        let removal = try syncPoint()
        try file.sync()
        try advance(from: removal)
    }

    /// Writes down that blocks are durable: they were written before a sync that has ended.
    func noteDurable(_ written: BlockBits) throws(Errno) {
        let map = try locked { (state) throws(Errno) -> SharedDescriptor? in
            guard case .mapped(let name) = state.kind else { return nil }
            let map = try loadMap(&state).file
            try state.map?.setDurable(written)
            if state.map?.durable == state.map?.written { upper.maps.markClean(name) }
            return map
        }
        try map?.descriptor.syncData()
    }

    /// Syncs bytes before a mark says that they are there. A volatile mount promises nothing.
    func makeDurable(_ file: borrowing Descriptor) throws(Errno) {
        if !upper.isVolatile { try file.syncData() }
    }

    /// The written blocks, when some of them are not known to be durable.
    func unsynced() throws(Errno) -> BlockBits? {
        if isWhole { return nil }
        return try locked { (state) throws(Errno) -> BlockBits? in
            guard case .mapped = state.kind else { return nil }
            let map = try loadMap(&state)
            return map.written == map.durable ? nil : map.written
        }
    }

    /// Fills every missing block from the lower file and drops the map.
    /// - Parameter file: the upper file, open for writing.
    func materialize(_ file: borrowing Descriptor) throws(Errno) {
        if isWhole { return }
        try locked { (state) throws(Errno) in
            if case .whole = state.kind { return }
            try keepingAttributes(of: file) { (file) throws(Errno) in try fillAll(&state, file) }
            try makeDurable(file)
            try finish(&state, file)
        }
    }

    private func fillAll(_ state: inout State, _ file: borrowing Descriptor) throws(Errno) {
        guard state.limit > 0 else { return }
        let content = try loadContent(&state)
        guard case .mapped = state.kind else { return try content.copy(0..<state.limit, to: file) }
        var position: UInt64 = 0
        while position < state.limit {
            let run = try loadMap(&state).run(at: position, below: state.limit)
            if !run.isOwn { try content.copy(position..<run.end, to: file) }
            position = run.end
        }
    }
}
