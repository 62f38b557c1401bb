// HostWatches owns the watches on directories beneath binds, by which the kernel may remember for long what others
// change: an event takes back what it was told.
//
// Invariant: a directory is watched before what is answered of it is looked at, and what is told is kept (`ToldTree`)
// under the lock under which events are met with it (`HostWatches+Judge`). An answer that was looked at before an event,
// and is kept after it, counts for a second as it would without a watch.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

final class HostWatches: Sendable {
    /// Tells the kernel of names and nodes that it must ask for again.
    typealias Tell = @Sendable ([NodeName], [NodeID]) -> Void

    struct Listener: Sendable {
        let table: HostTable
        let tell: Tell
    }

    /// The queue of events and who reads it.
    struct Reader: Sendable {
        let queue: WatchQueue
        fileprivate let thread: WatchThread
    }

    struct State {
        var told = ToldTree()
        /// Names that the kernel has to look up again, of which nobody hears otherwise.
        var pending: [NodeName] = []
        fileprivate var listener: Listener?
        fileprivate var reader: Reader?
        /// Until then no directory is watched that is not: there were too many.
        fileprivate var refusedUntil: UInt32 = 0
    }

    let state = Mutex(State())
    /// How often events were met with what was told. Changed under the lock.
    let changes = Atomic<UInt64>(0)

    /// Watched directories, of which a user may have some 100 000 in all.
    private static let most = 8_192
    /// Queues that a user can still make when this has one; he may have 128, and his other programs stop without.
    private static let leftToOthers = 32
    /// Seconds without another attempt after the system refused one.
    private static let pause: UInt32 = 10

    /// From now on the kernel can be told. Who calls this calls `end` too.
    func begin(_ table: HostTable, _ tell: @escaping Tell) {
        state.withLock { $0.listener = Listener(table: table, tell: tell) }
    }

    /// Nothing is watched any more; waits for a call under way.
    func end() {
        let reader = state.withLock { state in
            defer { state = State() }
            return state.reader
        }
        reader?.queue.end()
        // Its last use waits for the thread.
        withExtendedLifetime(reader) {}
    }

    // MARK: Watching

    /// What events so far were met with, to be asked for before anything is looked at; nil where nothing is watched.
    func moment(_ tree: HostTree) -> UInt64? {
        tree.isWatchable ? changes.load(ordering: .acquiring) : nil
    }

    /// Whether a directory became watched only now, so that what was seen of it before does not count.
    func watch(_ directory: HostNode) -> Bool {
        guard directory.tree.isWatchable, directory.type == .directory, directory.watch == 0,
            let handle = try? directory.handle()
        else { return false }
        return state.withLock { state in
            guard directory.watch == 0, state.told.directories.count < Self.most,
                Int32(bitPattern: ToldTree.now() &- state.refusedUntil) >= 0, let queue = started(&state)
            else { return false }
            do throws(Errno) {
                let number = try queue.inotify.watch(handle.descriptor)
                state.told.insert(directory.id, number: number)
                directory.watch = number
                return true
            } catch {
                // What this user may not read says nothing of others.
                if error != .permissionDenied { state.refusedUntil = ToldTree.now() &+ Self.pause }
                return false
            }
        }
    }

    private func started(_ state: inout State) -> WatchQueue? {
        if let reader = state.reader { return reader.queue }
        guard let listener = state.listener else { return nil }
        guard Inotify.isRoom(for: Self.leftToOthers), let queue = try? WatchQueue(),
            let thread = try? WatchThread({ [self] in run(queue, listener) })
        else {
            state.refusedUntil = ToldTree.now() &+ Self.pause
            return nil
        }
        state.reader = Reader(queue: queue, thread: thread)
        return queue
    }

    /// The kernel forgot a node.
    func forget(_ node: HostNode) {
        guard node.tree.isWatchable else { return }
        state.withLock { state in
            state.told.forget(node.id)
            guard node.watch != 0 else { return }
            unwatch(node.id, &state)
        }
    }

    func unwatch(_ directory: NodeID, _ state: inout State) {
        if let number = state.told.remove(directory) { state.reader?.queue.inotify.remove(number) }
    }

    // MARK: Telling

    /// The kernel is about to be told of a node, and by which name it found it: whether it may remember both for long.
    ///
    /// - Parameters:
    ///   - status: the file's own.
    ///   - name: nil for the name of a redirect's point, which leads nowhere else.
    ///   - moment: of before it was looked at.
    ///   - isOwn: whether the answer is to a change by the kernel.
    func tell(
        _ status: FileStatus, of node: HostNode, as name: NodeName?, since moment: UInt64?,
        isOwn: Bool = false
    ) -> Bool {
        guard let moment, Self.isTold(node, status) else { return false }
        let (stamp, time) = (status.stamp, ToldTree.now())
        return state.withLock { state in
            guard isCurrent(moment), node.type != .directory || state.told.directories[node.id] != nil else {
                return false
            }
            if let name {
                guard state.told.tell(name.name, in: name.parent, node.id, at: time, isOwn: isOwn) else {
                    return false
                }
            }
            let home = node.type == .directory ? nil : name
            guard node.type == .directory || home != nil else { return false }
            state.told.tell(stamp, of: node.id, at: home, at: time, isOwn: isOwn)
            return true
        }
    }

    /// The same where the kernel asked for the node alone.
    func tell(_ status: FileStatus, of node: HostNode, since moment: UInt64?, isOwn: Bool = false) -> Bool {
        guard let moment, Self.isTold(node, status) else { return false }
        let (stamp, time) = (status.stamp, ToldTree.now())
        return state.withLock { state in
            guard isCurrent(moment) else { return false }
            var home: NodeName?
            if node.type == .directory {
                guard state.told.directories[node.id] != nil else { return false }
            } else {
                home = state.told.home(of: node.id, at: time)
                guard home != nil else { return false }
            }
            state.told.tell(stamp, of: node.id, at: home, at: time, isOwn: isOwn)
            return true
        }
    }

    /// The kernel may be about to be told that there is no such name.
    func tellMissing(_ name: ByteString, in directory: HostNode, since moment: UInt64?) {
        guard let moment, directory.watch != 0 else { return }
        let time = ToldTree.now()
        state.withLock { state in
            guard isCurrent(moment) else { return }
            _ = state.told.tell(name, in: directory.id, nil, at: time, isOwn: false)
        }
    }

    /// Whether it may remember that for long.
    func isMissing(_ name: ByteString, in directory: NodeID) -> Bool {
        state.withLock { $0.told.isMissing(name, in: directory) }
    }

    /// The kernel had a name removed, and remembers nothing of it.
    func removed(_ name: ByteString, in directory: HostNode) {
        guard directory.watch != 0 else { return }
        state.withLock { state in _ = state.told.take(name, in: directory.id) }
    }

    /// The kernel had a name moved: it knows the node by the new one for as long as it knew it by the old one.
    func renamed(_ old: NodeName, to new: NodeName, isExchange: Bool, since moment: UInt64?) {
        guard let moment else { return }
        let isFirst = state.withLock { state in
            let wasPending = !state.pending.isEmpty
            let isCurrent = isCurrent(moment)
            let moved = state.told.take(old.name, in: old.parent)
            let replaced = state.told.take(new.name, in: new.parent)
            for (known, name) in [(moved, new), (isExchange ? replaced : nil, old)] {
                guard let known, !isCurrent || !state.told.put(known, at: name) else { continue }
                state.pending.append(name)
                if let node = known.node { _ = state.told.takeAttributes(of: node, unless: nil) }
            }
            // The thread takes all at once: one byte is enough, and a pipe holds only so many.
            return !wasPending && !state.pending.isEmpty
        }
        if isFirst { wake() }
    }

    private func wake() { state.withLock { $0.reader?.queue }?.wake() }

    private func isCurrent(_ moment: UInt64) -> Bool { changes.load(ordering: .relaxed) == moment }

    /// Whether all that changes of a file is heard of. Of one with several names it is not, nor of writing through a
    /// mapping.
    private static func isTold(_ node: HostNode, _ status: FileStatus) -> Bool {
        if node.type == .directory { return node.watch != 0 && status.linkCount > 0 }
        return status.linkCount == 1 && !node.mayBeMapped
    }
}

extension ToldTree {
    /// Seconds by the clock that nobody sets.
    static func now() -> UInt32 {
        var time = timespec()
        // SAFETY: the kernel fills the local.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return UInt32(truncatingIfNeeded: time.tv_sec)
    }
}
