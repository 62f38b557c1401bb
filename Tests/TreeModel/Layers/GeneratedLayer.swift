// GeneratedLayer is a layer made by chance, in a form from which a tar, an unpacked directory
// and the model's tree are written independently of each other.

import Glibc
import LaminaCore
import LaminaSystem

/// One entry; parents stand before what is in them.
public struct GeneratedEntry: Sendable {
    public enum Kind: Sendable, Hashable {
        case directory(opaque: Bool)
        case file([UInt8])
        case symlink(ByteString)
        case fifo
        case null
        /// One more name of an earlier file of this layer.
        case hardLink(ByteString)
        /// Takes a name of the layers below away.
        case whiteout
    }

    public var path: ByteString
    public var kind: Kind
    public var permissions: UInt32 = 0o644
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var time = Timestamp(seconds: 1_000_000_000)
    public var attributes: [ExtendedAttribute] = []
    /// Of a whiteout: overlayfs would list it, since it looks for them only where directories merge.
    var hidesNothing = false

    var type: FileType {
        switch kind {
        case .directory: .directory
        case .file, .hardLink: .regular
        case .symlink: .symlink
        case .fifo: .fifo
        case .null, .whiteout: .characterDevice
        }
    }

    var device: DeviceNumber { kind == .null ? DeviceNumber(major: 1, minor: 3) : .zero }
}

/// What generated layers may hold.
public struct LayerOptions: Sendable {
    /// Entries of one layer, about.
    public var entries = 24
    public var hardLinks = true
    /// A file of more than 1 MiB in some of them.
    public var bigFiles = true

    public init() {}
}

/// A layer of chance.
public struct GeneratedLayer: Sendable {
    public private(set) var entries: [GeneratedEntry] = []

    /// - Parameter isLowest: then there is nothing to hide.
    public init(_ random: inout SeededRandom, isLowest: Bool, options: LayerOptions = LayerOptions()) {
        var root = GeneratedEntry(path: ByteString(), kind: .directory(opaque: false))
        root.permissions = 0o755
        entries.append(root)
        for _ in 0..<options.entries {
            let directories = entries.filter { $0.type == .directory }
            let parent = random.pick(directories).path
            let path = parent.appending(random.pick(ScriptGenerator.names))
            guard path.components.count < ScriptGenerator.deepest,
                !entries.contains(where: { $0.path == path })
            else { continue }
            entries.append(Self.entry(path, &random, isLowest, options, files))
        }
    }

    private var files: [ByteString] {
        entries.compactMap { entry in
            if case .file = entry.kind { entry.path } else { nil }
        }
    }

    private static func entry(
        _ path: ByteString, _ random: inout SeededRandom, _ isLowest: Bool, _ options: LayerOptions,
        _ files: [ByteString]
    ) -> GeneratedEntry {
        let kind: GeneratedEntry.Kind
        switch random.below(20) {
        case 0..<8: kind = .directory(opaque: !isLowest && random.chance(25))
        case 8..<14: kind = .file(bytes(&random, options))
        case 14: kind = .symlink(random.chance(50) ? random.pick(ScriptGenerator.names) : "a/b")
        case 15: kind = random.chance(50) ? .fifo : .null
        case 16..<18 where options.hardLinks && !files.isEmpty: kind = .hardLink(random.pick(files))
        default: kind = isLowest ? .file(bytes(&random, options)) : .whiteout
        }
        var entry = GeneratedEntry(path: path, kind: kind)
        switch entry.type {
        case .directory: entry.permissions = random.pick([0o755, 0o700, 0o2755, 0o555])
        case .symlink: entry.permissions = 0o777
        default: entry.permissions = random.pick([0o644, 0o600, 0o4755, 0o000, 0o2711])
        }
        entry.uid = random.pick([0, 0, 1_000, 100_000])
        entry.gid = random.pick([0, 0, 5, 100_000])
        entry.time = Timestamp(
            seconds: Int64(random.below(1_500_000_000)), nanoseconds: UInt32(random.below(1_000_000_000)))
        entry.attributes = attributes(&random, of: entry)
        return entry
    }

    private static func bytes(_ random: inout SeededRandom, _ options: LayerOptions) -> [UInt8] {
        var count = random.pick([0, 1, 30, 511, 512, 5_000, 5_000, 66_000, 90_000])
        if options.bigFiles, random.chance(3) { count = 1_200_000 }
        return SeededRandom.bytes(count, seed: UInt8(random.below(256)))
    }

    private static func attributes(
        _ random: inout SeededRandom, of entry: GeneratedEntry
    ) -> [ExtendedAttribute] {
        var result: [ExtendedAttribute] = []
        if case .hardLink = entry.kind { return [] }
        if entry.kind == .whiteout { return [] }
        if random.chance(20) { result.append(ExtendedAttribute(name: "trusted.one", value: [1, 2, 3])) }
        let takesUser = entry.type == .regular || entry.type == .directory
        if takesUser, random.chance(20) {
            result.append(
                ExtendedAttribute(name: "user.one", value: SeededRandom.bytes(random.below(400), seed: 9)))
        }
        return result
    }
}

extension GeneratedLayer {
    /// Some layers, lowest first.
    public static func layers(
        _ count: Int, seed: UInt64, options: LayerOptions = LayerOptions()
    ) -> [GeneratedLayer] {
        var random = SeededRandom(seed: seed &* 77 &+ 5)
        var result: [GeneratedLayer] = []
        for number in 0..<count {
            var layer = GeneratedLayer(&random, isLowest: number == 0, options: options)
            layer.markWhiteouts(above: Model(result))
            result.append(layer)
        }
        return result
    }

    /// Finds the whiteouts that have nothing to hide in the layers below.
    private mutating func markWhiteouts(above model: Model) {
        let below = model.nodes()
        let opaque = entries.filter { $0.kind == .directory(opaque: true) }.map(\.path)
        for index in entries.indices where entries[index].kind == .whiteout {
            let path = entries[index].path
            let isCut = opaque.contains { path.hasPrefix($0 + "/") }
            entries[index].hidesNothing = isCut || below[path] == nil
        }
    }
}
