// ScriptGenerator makes scripts: steps over few names in few directories, so that they meet.

import Glibc
import LaminaCore
import LaminaSystem

/// What a script may use.
public struct ScriptOptions: Sendable {
    public var exchanges = true
    public var holdsFiles = true
    /// Bytes that a write starts at, at most.
    public var furthestWrite = 90_000

    public init() {}
}

/// Makes the next step from chance and from what the model holds at that moment.
public struct ScriptGenerator {
    var random: SeededRandom
    let options: ScriptOptions

    static let names: [ByteString] = ["a", "b", "c", "d", "e", "f", ByteString([0xC3, 0x28])]
    static let attributes: [ByteString] = [
        "user.one", "user.two", "trusted.one", "security.other", capability,
    ]
    public static let slots = 4
    static let deepest = 4

    public init(seed: UInt64, options: ScriptOptions = ScriptOptions()) {
        random = SeededRandom(seed: seed)
        self.options = options
    }

    public mutating func next(for model: Model) -> Operation {
        switch random.below(100) {
        case 0..<22: makingStep(model)
        case 22..<34: removingStep(model)
        case 34..<46: renamingStep(model)
        case 46..<60: dataStep(model)
        case 60..<76: attributeStep(model)
        case 76..<86: lookingStep(model)
        default: options.holdsFiles ? heldStep(model) : dataStep(model)
        }
    }

    private mutating func makingStep(_ model: Model) -> Operation {
        let path = newPath(model)
        switch random.below(10) {
        case 0..<3:
            let exclusive = random.chance(60) ? O_EXCL : 0
            let truncating = random.chance(15) ? O_TRUNC : 0
            return .open(
                path, flags: O_WRONLY | O_CREAT | exclusive | truncating,
                permissions: random.pick([0o644, 0o600, 0o755, 0o400]))
        case 3..<6: return .makeDirectory(path, permissions: random.pick([0o755, 0o700, 0o711]))
        case 6:
            let target =
                random.chance(50)
                ? random.pick(Self.names) : ByteString("d").appending(random.pick(Self.names))
            return .symlink(path, target: target)
        case 7:
            let type: FileType = random.pick([.fifo, .characterDevice, .socket])
            let device = type == .characterDevice ? DeviceNumber(major: 1, minor: 3) : .zero
            return .makeNode(path, type, permissions: 0o644, device)
        default: return .link(oldPath(model), path)
        }
    }

    private mutating func removingStep(_ model: Model) -> Operation {
        let path = oldPath(model)
        let isDirectory = model.node(at: path, follow: false)?.isDirectory ?? random.chance(50)
        return isDirectory != random.chance(5) ? .removeDirectory(path) : .removeFile(path)
    }

    private mutating func renamingStep(_ model: Model) -> Operation {
        let old = oldPath(model)
        let new = random.chance(50) ? oldPath(model) : newPath(model)
        var flags: UInt32 = 0
        if random.chance(15) { flags = RenameFlag.noReplace }
        if options.exchanges, random.chance(20) { flags = RenameFlag.exchange }
        return .rename(old, new, flags: flags)
    }

    private mutating func dataStep(_ model: Model) -> Operation {
        let path = oldPath(model)
        let count = random.pick([1, 10, 100, 4_096, 5_000, 20_000])
        let seed = UInt8(random.below(256))
        switch random.below(10) {
        case 0..<3: return .write(path, offset: offset(), count: count, seed: seed)
        case 3..<5: return .append(path, count: count, seed: seed)
        case 5..<7: return .truncate(path, size: random.chance(30) ? 0 : offset())
        case 7: return .open(path, flags: O_RDWR | O_TRUNC, permissions: 0)
        default: return .read(path, offset: offset(), count: 8_000)
        }
    }

    private mutating func attributeStep(_ model: Model) -> Operation {
        let path = oldPath(model)
        switch random.below(10) {
        case 0..<2: return .setPermissions(path, permissions())
        case 2..<4: return .setOwner(path, uid: owner(), gid: owner())
        case 4..<6: return .setTime(path, time())
        case 6..<9:
            let name = random.pick(Self.attributes)
            return .setAttribute(
                path, name, attributeValue(name),
                flags: random.pick([0, 0, XattrFlag.create, XattrFlag.replace]))
        default: return .removeAttribute(path, random.pick(Self.attributes))
        }
    }

    private mutating func lookingStep(_ model: Model) -> Operation {
        let path = oldPath(model)
        switch random.below(10) {
        case 0..<3: return .status(path)
        case 3..<6: return .list(path)
        case 6: return .readLink(path)
        case 7: return .attribute(path, random.pick(Self.attributes))
        case 8: return .attributeNames(path)
        default: return .filesystemStatus
        }
    }

    private mutating func heldStep(_ model: Model) -> Operation {
        let slot = random.below(Self.slots)
        if random.chance(25) {
            let flags = random.pick([O_RDONLY, O_RDWR, O_RDWR | O_APPEND, O_RDWR | O_CREAT])
            return .hold(slot: slot, oldPath(model), flags: flags)
        }
        let seed = UInt8(random.below(256))
        switch random.below(12) {
        case 0..<3: return .held(slot: slot, .read(offset: offset(), count: 6_000))
        case 3..<6: return .held(slot: slot, .write(offset: offset(), count: 3_000, seed: seed))
        case 6: return .held(slot: slot, .truncate(size: offset()))
        case 7: return .held(slot: slot, .status)
        case 8: return .held(slot: slot, .setPermissions(permissions()))
        case 9: return .held(slot: slot, .setOwner(uid: owner(), gid: owner()))
        case 10:
            return random.chance(50)
                ? .held(slot: slot, .setTime(time()))
                : .held(slot: slot, .setAttribute("trusted.held", [seed]))
        default: return random.chance(50) ? .release(slot: slot) : .held(slot: slot, .attributeNames)
        }
    }
}

extension ScriptGenerator {
    private mutating func offset() -> Int {
        random.chance(50) ? random.below(200) : random.below(options.furthestWrite)
    }

    private mutating func owner() -> UInt32 { random.pick([0, 1, 1_000, 65_534]) }

    /// None that is sticky and writable for others: those have rules of their own (`proc_sys_fs(5)`).
    private mutating func permissions() -> UInt32 {
        random.pick([0o644, 0o600, 0o755, 0o700, 0o2755, 0o4755, 0o6711, 0o1755, 0o000, 0o2644])
    }

    private mutating func time() -> Timestamp {
        Timestamp(
            seconds: Int64(random.below(1_600_000_000)), nanoseconds: UInt32(random.below(1_000_000_000)))
    }

    private mutating func attributeValue(_ name: ByteString) -> [UInt8] {
        // vfs_cap_data, revision 2: CAP_NET_RAW permitted.
        if name == capability { return [1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12) }
        return SeededRandom.bytes(random.pick([0, 1, 20, 300]), seed: UInt8(random.below(256)))
    }

    /// A path that probably leads to something.
    mutating func oldPath(_ model: Model) -> ByteString {
        if random.chance(12) { return newPath(model) }
        var path = ByteString()
        var node = model.root
        while node.isDirectory, !node.entries.isEmpty, path.isEmpty || random.chance(60) {
            let name = random.pick(node.entries.keys.sorted())
            guard let next = node.entries[name] else { break }
            path = path.appending(name)
            node = next
        }
        return path.isEmpty ? random.pick(Self.names) : path
    }

    /// A path that may lead to something: a name below a directory, or below anything.
    mutating func newPath(_ model: Model) -> ByteString {
        var path = ByteString()
        var node: ModelNode? = model.root
        for _ in 1..<Self.deepest where random.chance(60) {
            let known = node?.entries.filter { $0.value.isDirectory }.keys.sorted() ?? []
            let name = known.isEmpty || random.chance(10) ? random.pick(Self.names) : random.pick(known)
            if known.isEmpty, random.chance(80) { break }
            path = path.appending(name)
            node = node?.entries[name]
        }
        return path.appending(random.pick(Self.names))
    }
}
