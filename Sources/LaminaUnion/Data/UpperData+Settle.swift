// Settling a copy: its bytes are synced, then its marks go, then their removal is synced. Nothing is
// synced to make a copy, because a power cut before that only brings the layer's bytes back.
//
// Invariant: a file that was settled is never marked fresh again, or a power cut could take what
// somebody synced.

import Glibc
import LaminaCore
import LaminaSystem

extension UpperData {
    /// What a power cut would do to the file. A file that is not settled is held open.
    enum Stage: Sendable {
        /// No more than to any other file.
        case settled
        /// Its marks say that the layer's bytes are to come back.
        case marked(SharedDescriptor)
        /// The marks are gone, and may come back in a power cut.
        case unmarked(SharedDescriptor)

        var isSettled: Bool {
            if case .settled = self { true } else { false }
        }

        var file: SharedDescriptor? {
            switch self {
            case .settled: nil
            case .marked(let file), .unmarked(let file): file
            }
        }
    }

    /// What a file was like before a sync, which is what the sync makes durable.
    struct SyncPoint: Sendable {
        let stage: Stage
        /// Blocks of its own that are not known to be durable; for a marked file all.
        let written: BlockBits?
    }

    /// To be taken before a sync.
    func syncPoint() throws(Errno) -> SyncPoint {
        if isPlain { return SyncPoint(stage: .settled, written: nil) }
        return try locked { (state) throws(Errno) in
            guard case .mapped = state.kind else { return SyncPoint(stage: state.stage, written: nil) }
            let map = try loadMap(&state)
            if case .marked = state.stage { return SyncPoint(stage: state.stage, written: map.written) }
            let isDurable = map.written == map.durable
            return SyncPoint(stage: state.stage, written: isDurable ? nil : map.written)
        }
    }

    /// Takes the next step, now that all is durable that was there at `point`.
    func advance(from point: SyncPoint) throws(Errno) {
        // With it the map, which must be there when the mark is gone.
        if let written = point.written { try noteDurable(written) }
        if point.stage.isSettled { return }
        try locked { (state) throws(Errno) in
            switch (point.stage, state.stage) {
            case (.marked, .marked(let file)):
                if case .mapped = state.kind {
                    try file.descriptor.removeMark(upper.convention.fresh)
                } else {
                    try upper.removeMarks(of: file.descriptor)
                }
                setStage(.unmarked(file), &state)
            case (.unmarked, .unmarked): setStage(.settled, &state)
            default: return
            }
        }
    }

    /// The point from which to settle; nil when there is nothing to do. What has no name left needs
    /// no sync, and nothing can give it one.
    func settlingPoint() throws(Errno) -> SyncPoint? {
        let point = try syncPoint()
        guard let file = point.stage.file else { return nil }
        guard try file.descriptor.status().linkCount > 0 else {
            try locked { (state) throws(Errno) in setStage(.settled, &state) }
            return nil
        }
        return point
    }

    /// Marks a copy in place before its first byte. The lower node is written down, because a file that
    /// overlayfs made may lose the name by which it was found.
    /// - Returns: the file, held open; nil for a volatile mount, which needs no marks.
    func beginCopy(_ file: borrowing Descriptor) throws(Errno) -> SharedDescriptor? {
        guard !upper.isVolatile else { return nil }
        let held = SharedDescriptor(try file.reopen(O_RDONLY))
        if try file.mark(upper.convention.origin) == nil { try upper.setOrigin(source, of: file) }
        try upper.setFresh(file)
        return held
    }

    /// Ends a copy in place: all bytes are in the upper file.
    func finishCopy(
        _ state: inout State, _ file: borrowing Descriptor, _ copy: SharedDescriptor?
    ) throws(Errno) {
        if let copy {
            try upper.setRefused(file)
            becomeWhole(&state)
            setStage(.marked(copy), &state)
        } else {
            try finish(&state, file)
        }
        upper.copiedUp(.whole)
    }
}
