// ToldTree owns what the kernel was told, for long, of what is in watched directories of the host: which name leads
// where, or nowhere, and what stat shows.
//
// Invariant: nothing is in it for less time than the kernel may remember it. It has no lock of its own.

import LaminaCore
import LaminaSystem

struct ToldTree {
    /// What the kernel was told of a name.
    struct Name {
        /// Nil for a name that is not there.
        var node: NodeID?
        /// Seconds by the coarse clock.
        var time: UInt32
        /// Whether two answers differ that may have been under way at once: nobody knows which the kernel took.
        var isMixed = false
    }

    /// What the kernel was told of a node.
    struct Attributes {
        /// Of what stat shows; nil when the kernel has to ask.
        var stamp: Int?
        var time: UInt32
        var isMixed = false
        /// The name by which changes of it are heard of; nil for directories, which are watched themselves.
        var home: NodeName?
    }

    struct Directory {
        let number: Int32
        var names: [ByteString: Name] = [:]
    }

    private(set) var directories: [NodeID: Directory] = [:]
    /// The directories of each watch: two redirects may lead to one.
    private(set) var numbers: [Int32: [NodeID]] = [:]
    private(set) var nodes: [NodeID: Attributes] = [:]
    /// Names in all directories.
    private(set) var count = 0
    private var lastSweep: UInt32 = 0

    static let mostNames = 1 << 16
    /// Seconds for which an answer may be on its way.
    static let delay: UInt32 = 2
    /// Seconds after which the kernel has forgotten, or asks again.
    private static let age = UInt32(VolumeClaim.seconds) + delay

    // MARK: Directories

    mutating func insert(_ directory: NodeID, number: Int32) {
        directories[directory] = Directory(number: number)
        numbers[number, default: []].append(directory)
    }

    /// Forgets a directory, and what was told of names in it.
    /// - Returns: the number of its watch, if nobody else has it.
    mutating func remove(_ directory: NodeID) -> Int32? {
        guard let gone = directories.removeValue(forKey: directory) else { return nil }
        count -= gone.names.count
        numbers[gone.number]?.removeAll { $0 == directory }
        guard numbers[gone.number]?.isEmpty == true else { return nil }
        numbers[gone.number] = nil
        return gone.number
    }

    // MARK: Telling

    /// The kernel is about to be told of a name; false when that cannot be kept.
    /// - Parameter isOwn: whether the answer is to a change by the kernel, which lets nobody else at the name meanwhile.
    mutating func tell(
        _ name: ByteString, in directory: NodeID, _ node: NodeID?, at time: UInt32, isOwn: Bool
    ) -> Bool {
        guard let place = directories.index(forKey: directory) else { return false }
        if let known = directories.values[place].names[name] {
            let isRecent = time &- known.time <= Self.delay
            let isMixed = !isOwn && isRecent && (known.isMixed || known.node != node)
            directories.values[place].names[name] = Name(node: node, time: time, isMixed: isMixed)
            return true
        }
        guard count < Self.mostNames || sweep(time) else { return false }
        directories.values[place].names[name] = Name(node: node, time: time)
        count += 1
        return true
    }

    /// The same of a node's attributes.
    mutating func tell(
        _ stamp: Int, of node: NodeID, at home: NodeName?, at time: UInt32, isOwn: Bool
    ) {
        var isMixed = false
        if !isOwn, let known = nodes[node], let former = known.stamp, time &- known.time <= Self.delay {
            isMixed = known.isMixed || former != stamp
        }
        nodes[node] = Attributes(stamp: stamp, time: time, isMixed: isMixed, home: home)
    }

    /// Whether the kernel was told that there is no such name.
    func isMissing(_ name: ByteString, in directory: NodeID) -> Bool {
        guard let known = directories[directory]?.names[name] else { return false }
        return known.node == nil
    }

    /// The name of a node by which changes of it are heard of, if it still counts; it does so for longer then.
    mutating func home(of node: NodeID, at time: UInt32) -> NodeName? {
        guard let home = nodes[node]?.home, directories[home.parent]?.names[home.name]?.node == node else {
            return nil
        }
        directories[home.parent]?.names[home.name]?.time = time
        return home
    }

    // MARK: Taking back

    /// - Returns: what was told of it; nil when nothing was.
    mutating func take(_ name: ByteString, in directory: NodeID) -> Name? {
        guard let known = directories[directory]?.names.removeValue(forKey: name) else { return nil }
        count -= 1
        return known
    }

    /// Puts what was told of one name to another, of which nothing is known: the kernel moved it there.
    /// - Returns: false when that cannot be kept.
    mutating func put(_ known: Name, at name: NodeName) -> Bool {
        guard let node = known.node, directories[name.parent] != nil else { return false }
        if nodes[node]?.home != nil { nodes[node]?.home = name }
        directories[name.parent]?.names[name.name] = known
        count += 1
        return true
    }

    /// - Parameter stamp: of what it is now; nil takes them back in any case.
    /// - Returns: when they were told; nil when that still is so, or nothing was told.
    mutating func takeAttributes(of node: NodeID, unless stamp: Int?) -> UInt32? {
        guard let known = nodes[node], let told = known.stamp else { return nil }
        if told == stamp, !known.isMixed { return nil }
        nodes[node]?.stamp = nil
        nodes[node]?.isMixed = false
        return known.time
    }

    /// The kernel forgot a node.
    mutating func forget(_ node: NodeID) { nodes[node] = nil }

    /// Forgets what the kernel has forgotten; whether there is room then. O(names), at most once a second.
    mutating func sweep(_ time: UInt32) -> Bool {
        guard time != lastSweep else { return count < Self.mostNames }
        lastSweep = time
        for id in directories.keys {
            guard let names = directories[id]?.names, !names.isEmpty else { continue }
            let kept = names.filter { time &- $0.value.time <= Self.age }
            count -= names.count - kept.count
            directories[id]?.names = kept
        }
        nodes = nodes.filter { time &- $0.value.time <= Self.age }
        return count < Self.mostNames
    }
}

extension FileStatus {
    /// Stands for all that stat shows, but for the time of the last access, which nobody tells.
    var stamp: Int {
        var hasher = Hasher()
        for number in [mode, linkCount, uid, gid] { hasher.combine(number) }
        for number in [size, blocks] { hasher.combine(number) }
        for time in [mtime, ctime] {
            hasher.combine(time.seconds)
            hasher.combine(time.nanoseconds)
        }
        hasher.combine(namedDevice)
        return hasher.finalize()
    }
}
