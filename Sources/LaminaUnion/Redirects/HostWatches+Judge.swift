// The thread that meets events with what the kernel was told, and takes back what is no longer so. What the container
// did itself raises events as well: what they lead to is what the kernel was told of, and stays.

import Glibc
import LaminaCore
import LaminaSystem

/// What the kernel has to ask for again, and when it was told.
struct TakenBack {
    var names: [(name: NodeName, time: UInt32)] = []
    var nodes: [(node: NodeID, time: UInt32)] = []

    var isEmpty: Bool { names.isEmpty && nodes.isEmpty }

    func tell(_ tell: HostWatches.Tell) {
        if !isEmpty { tell(names.map(\.name), nodes.map(\.node)) }
    }

    /// That of which the kernel was not told since. What it was told last is what it goes by (Linux
    /// `fs/fuse/inode.c`, `attr_version`).
    func untold(_ told: ToldTree) -> TakenBack {
        TakenBack(
            names: names.filter { told.directories[$0.name.parent]?.names[$0.name.name] == nil },
            nodes: nodes.filter { told.nodes[$0.node]?.stamp == nil })
    }

    /// That of which an answer may be on its way.
    func recent(_ now: UInt32) -> TakenBack {
        TakenBack(
            names: names.filter { now &- $0.time <= ToldTree.delay },
            nodes: nodes.filter { now &- $0.time <= ToldTree.delay })
    }
}

extension HostWatches {
    /// The thread, until the end.
    func run(_ queue: WatchQueue, _ listener: Listener) {
        var buffer = WatchQueue.buffer()
        // An answer may be on its way to the kernel while what it says is taken back: once more a bit later.
        var again: [(time: UInt32, taken: TakenBack)] = []
        while true {
            let now = ToldTree.now()
            while let first = again.first, now &- first.time >= ToldTree.delay {
                again.removeFirst()
                state.withLock { first.taken.untold($0.told) }.tell(listener.tell)
            }
            // Coarse seconds: a bit more than one.
            let wait = again.isEmpty ? state.withLock { $0.told.count > 0 } ? 30_000 : -1 : 500
            guard let batch = queue.next(&buffer, milliseconds: Int32(wait)) else { return }
            let taken = judge(batch, listener.table)
            taken.tell(listener.tell)
            let recent = taken.recent(ToldTree.now())
            if !recent.isEmpty { again.append((ToldTree.now(), recent)) }
            if batch.isEmpty, again.isEmpty {
                state.withLock { state in _ = state.told.sweep(ToldTree.now()) }
            }
        }
    }

    /// A name of which something was heard.
    private struct Question {
        let name: NodeName
        let told: ToldTree.Name?
    }

    private struct Questions {
        var names: [Question] = []
        var directories: [NodeID] = []
        var taken = TakenBack()
    }

    private func judge(_ batch: EventBatch, _ table: HostTable) -> TakenBack {
        var questions = questions(batch)
        for question in questions.names { judge(question, table, &questions.taken) }
        for id in questions.directories {
            let status = try? table.node(id).handle().descriptor.status()
            state.withLock { state in takeAttributes(of: id, unless: status?.stamp, &state, &questions.taken)
            }
        }
        return questions.taken
    }

    /// What was told of what was heard of. From here on no answer counts for long that was looked at before.
    private func questions(_ batch: EventBatch) -> Questions {
        state.withLock { state in
            changes.wrappingAdd(1, ordering: .releasing)
            var result = Questions()
            for name in state.pending { result.taken.names.append((name, ToldTree.now())) }
            state.pending = []
            if batch.isOverflow {
                for id in Array(state.told.directories.keys) { takeAll(in: id, &state, &result.taken) }
                for id in Array(state.told.nodes.keys) {
                    takeAttributes(of: id, unless: nil, &state, &result.taken)
                }
                return result
            }
            for (key, isNew) in batch.names {
                for directory in state.told.numbers[key.number] ?? [] {
                    let told = state.told.directories[directory]?.names[key.name]
                    // Of a name that nobody was told of, what it leads to may be known by another.
                    guard told != nil || isNew else { continue }
                    result.names.append(
                        Question(name: NodeName(parent: directory, name: key.name), told: told))
                }
            }
            for number in batch.directories { result.directories += state.told.numbers[number] ?? [] }
            for number in batch.ended {
                for directory in state.told.numbers[number] ?? [] {
                    takeAll(in: directory, &state, &result.taken)
                    takeAttributes(of: directory, unless: nil, &state, &result.taken)
                    _ = state.told.remove(directory)
                }
            }
            return result
        }
    }

    /// Takes back all names in a directory, and what stat shows of what has them.
    private func takeAll(in directory: NodeID, _ state: inout State, _ taken: inout TakenBack) {
        for (name, told) in state.told.directories[directory]?.names ?? [:] {
            take(NodeName(parent: directory, name: name), told, &state, &taken)
        }
    }

    private func take(_ name: NodeName, _ told: ToldTree.Name, _ state: inout State, _ taken: inout TakenBack)
    {
        // Whoever was told since is told once more.
        let last = state.told.take(name.name, in: name.parent)
        taken.names.append((name, last?.time ?? told.time))
        guard let node = told.node, let home = state.told.nodes[node]?.home,
            home.parent == name.parent, home.name == name.name
        else { return }
        takeAttributes(of: node, unless: nil, &state, &taken)
    }

    private func takeAttributes(
        of node: NodeID, unless stamp: Int?, _ state: inout State, _ taken: inout TakenBack
    ) {
        if let time = state.told.takeAttributes(of: node, unless: stamp) { taken.nodes.append((node, time)) }
    }

    /// Looks at a name of which something was heard.
    private func judge(_ question: Question, _ table: HostTable, _ taken: inout TakenBack) {
        let name = question.name
        let found: FileStatus?
        var isKnown = true
        do throws(Errno) {
            found = try table.node(name.parent).handle().descriptor.status(of: name.name)
        } catch {
            found = nil
            isKnown = error == .noSuchFileOrDirectory
        }
        let known = found.flatMap { status in
            (try? table.node(name.parent).tree).flatMap { table.known(status, of: $0) }
        }
        state.withLock { state in
            if let told = question.told,
                !isKnown || told.isMixed || told.node != known || found != nil && known == nil
            {
                take(name, told, &state, &taken)
            }
            // It may be another name of a file, or a new one.
            if let found, let known { takeAttributes(of: known, unless: found.stamp, &state, &taken) }
        }
    }
}
