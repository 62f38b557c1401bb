// UpperData owns where the bytes of one copied-up file are: all still the layers', some
// its own by a block map, or all its own. Bytes only ever become the file's own, so a
// reader needs the lock for its decision and not for its reading.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem
import Synchronization

/// The bytes of a sandbox's regular file that continues a lower one.
///
/// The rule for the byte at `p`: it is the lower file's when `p < limit` and no block of
/// the file's own holds it; everything else is in the upper file, which has the full size.
final class UpperData: Sendable {
    enum Kind: Sendable {
        /// No byte was written: overlayfs's metacopy.
        case lower
        /// The map of this name says which blocks are the file's own.
        case mapped(ByteString)
        /// All bytes are in the upper file.
        case whole
    }

    struct State: ~Copyable {
        var kind: Kind
        /// Bytes from here on are never the lower's; never more than the file's size.
        var limit: UInt64
        /// What a power cut would do to it.
        var stage = Stage.settled
        /// Whether the mark on disk still has a larger limit.
        var markIsStale = false
        /// Open files; with the last one, what is loaded is let go.
        var users = 0
        var map: BlockMap?
        var content: LowerContent?
    }

    /// Files of at most this many bytes are copied whole.
    static let wholeLimit: UInt64 = 1 << 19

    /// The lower node whose bytes these are.
    let source: UInt64
    let upper: UpperTree
    private let lower: LowerTree
    private let state: Mutex<State>
    private let whole: Atomic<Bool>
    private let settled: Atomic<Bool>

    /// - Parameter limit: bytes from here on are never the lower's.
    /// - Parameter map: what is loaded already, until the first who uses it is done; `content` likewise.
    init(
        source: UInt64, kind: Kind, limit: UInt64, markIsStale: Bool = false, stage: Stage = .settled,
        map: BlockMap? = nil, content: LowerContent? = nil, lower: LowerTree, upper: UpperTree
    ) {
        self.source = source
        self.lower = lower
        self.upper = upper
        state = Mutex(
            State(
                kind: kind, limit: limit, stage: stage, markIsStale: markIsStale, map: map,
                content: content))
        if case .whole = kind { whole = Atomic(true) } else { whole = Atomic(false) }
        settled = Atomic(stage.isSettled)
        if !stage.isSettled { upper.unsettled.add(self) }
    }

    /// Whether all bytes are in the upper file; once true, always.
    var isWhole: Bool { whole.load(ordering: .acquiring) }

    /// Whether no power cut takes the file back to its layer.
    var isSettled: Bool { settled.load(ordering: .acquiring) }

    /// Whether the file is like any other of its filesystem; once true, always.
    var isPlain: Bool { isWhole && isSettled }

    /// Whether becoming whole moves few bytes.
    var isSmall: Bool { state.withLock { $0.limit <= Self.wholeLimit } }

    /// Whether every byte is still the lower's.
    var isMetacopy: Bool {
        state.withLock { state in
            if case .lower = state.kind { true } else { false }
        }
    }

    /// Runs `body` alone with the state, which is loaded as far as nobody has it open no
    /// longer than that.
    func locked<Value>(
        _ body: (inout State) throws(Errno) -> sending Value
    ) throws(Errno) -> sending Value {
        try state.withLock { (state) throws(Errno) in
            defer { if state.users == 0 { state.unload() } }
            return try body(&state)
        }
    }

    func beginUse() { state.withLock { $0.users += 1 } }

    func endUse() {
        state.withLock { state in
            state.users -= 1
            if state.users == 0 { state.unload() }
        }
    }

    /// The file lost its last name and its last user: its map goes too.
    func discard() {
        state.withLock { state in
            if case .mapped(let name) = state.kind { upper.maps.remove(name) }
            setStage(.settled, &state)
        }
    }

    func setStage(_ stage: Stage, _ state: inout State) {
        state.stage = stage
        settled.store(stage.isSettled, ordering: .releasing)
        if stage.isSettled { upper.unsettled.remove(self) } else { upper.unsettled.add(self) }
    }

    func loadContent(_ state: inout State) throws(Errno) -> LowerContent {
        if let content = state.content { return content }
        let content = try lower.openContent(source)
        guard state.limit <= content.length else { throw .ioError }
        state.content = content
        return content
    }

    /// The loaded map of a mapped file.
    func loadMap(_ state: inout State) throws(Errno) -> BlockMap {
        if let map = state.map { return map }
        guard case .mapped(let name) = state.kind else { throw .ioError }
        let map = try upper.maps.load(name, nid: source, size: loadContent(&state).length)
        if map.written != map.durable { upper.maps.markDirty(name, self) }
        state.map = map
        return map
    }

    func becomeWhole(_ state: inout State) {
        state.kind = .whole
        state.limit = 0
        state.unload()
        whole.store(true, ordering: .releasing)
    }
}

extension UpperData.State {
    mutating func unload() {
        map = nil
        content = nil
    }
}

/// One open file's hold on an `UpperData`.
final class DataUse: Sendable {
    let data: UpperData

    init(_ data: UpperData) {
        self.data = data
        data.beginUse()
    }

    deinit { data.endUse() }
}
