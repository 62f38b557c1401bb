// UnionFixture owns a lower tree and any number of unions over it, without a mount.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaUnion

/// One lower tree, and a sandbox that can be opened again.
final class UnionFixture {
    let store: TemporaryDirectory
    let lower: LowerTree
    private(set) var sandbox: ByteString = ""
    private var number = 0
    private(set) var union: Union
    /// Of the unions that are opened from now on.
    var options = UnionOptions()

    /// Marks of a sandbox are `trusted.*`.
    static let isPossible: Bool = {
        if geteuid() == 0 { return true }
        print("SKIPPED, NOT TESTED: unions with trusted.* xattrs need root")
        if unsafe getenv("LAMINA_CI") != nil { preconditionFailure("CI must run the union tests") }
        return false
    }()

    init(
        _ layers: [FixtureEntry]..., inMemory: Bool = false, objectsAreReadOnly: Bool = false
    ) throws {
        let store = try TemporaryDirectory(inMemory: inMemory)
        self.store = store
        try FixtureStore.write(layers, to: store.descriptor)
        lower = try FixtureStore.lowerTree(in: store.descriptor, objectsAreReadOnly: objectsAreReadOnly)
        sandbox = try Self.makeSandbox(in: store, number: 0)
        union = try Self.open(sandbox, lower, options)
    }

    private static func makeSandbox(in store: TemporaryDirectory, number: Int) throws -> ByteString {
        let path = store.path.appending(ByteString("sandbox\(number)"))
        for name: ByteString in ["", "upper", "work"] {
            try store.descriptor.makeDirectory(path.appending(name), permissions: 0o755)
        }
        return path
    }

    private static func open(
        _ sandbox: ByteString, _ lower: LowerTree, _ options: UnionOptions
    ) throws -> Union {
        try Union(
            lower: lower, upper: Descriptor.open(sandbox.appending("upper"), OpenFlag.path | O_DIRECTORY),
            work: Descriptor.open(sandbox.appending("work"), O_RDONLY | O_DIRECTORY), options)
    }

    /// Goes on with an empty sandbox.
    func startAfresh() throws {
        number += 1
        sandbox = try Self.makeSandbox(in: store, number: number)
        union = try Self.open(sandbox, lower, options)
    }

    /// Opens the sandbox again: after a clean end, or as after the end of the process.
    func reopen(cleanly: Bool = true) throws {
        if cleanly { try union.close() }
        union = try Self.open(sandbox, lower, options)
    }

    func upper(_ path: ByteString) throws -> Descriptor {
        try Descriptor.open(sandbox.appending("upper").appending(path), O_RDONLY | O_NOFOLLOW)
    }

    /// Bytes on disk of the sandbox's file.
    func upperSpace(_ path: ByteString) throws -> Int64 { try upper(path).status().blocks * 512 }

    func mark(_ name: ByteString, of path: ByteString) throws -> [UInt8]? {
        do {
            return try upper(path).extendedAttribute(name)
        } catch let error as Errno where error == .noData {
            return nil
        }
    }

    var maps: [ByteString] {
        let directory = try? Descriptor.open(sandbox.appending("maps"), O_RDONLY | O_DIRECTORY)
        return (try? directory?.entries().map(\.name)) ?? []
    }
}

extension UnionFixture {
    func find(_ path: ByteString) throws -> Entry? {
        var entry: Entry? = Entry(id: .root, status: try union.status(of: .root))
        for component in path.components {
            guard let directory = entry?.id else { return nil }
            entry = try component.withSpan { (name) throws(Errno) in try union.lookup(name, in: directory) }
        }
        return entry
    }

    func id(_ path: ByteString) throws -> NodeID { try #require(try find(path)).id }

    func status(_ path: ByteString) throws -> FileStatus { try #require(try find(path)).status }

    func open(_ path: ByteString, _ flags: Int32 = O_RDONLY) throws -> OpenFile {
        try union.open(id(path), flags: flags)
    }

    func read(_ path: ByteString) throws -> [UInt8] { try open(path).bytes() }

    func change(_ path: ByteString, _ edit: (inout AttributeChange) -> Void) throws {
        var change = AttributeChange()
        edit(&change)
        _ = try union.setAttributes(of: id(path), change)
    }

    func setMode(_ path: ByteString, _ mode: UInt32) throws { try change(path) { $0.permissions = mode } }
}

extension OpenFile {
    /// All bytes, or `count` from `offset`.
    func bytes(at offset: UInt64 = 0, count: Int = 8 << 20) throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0xEE, count: count)
        var space = buffer.mutableSpan
        let length = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
            try unsafe read(into: bytes, at: offset)
        }
        buffer.removeLast(count - length)
        return buffer
    }
}

/// Bytes without a period that divides a block. Not one by one: tests make megabytes.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    let period = (0..<65_521).map { UInt8(truncatingIfNeeded: ($0 &+ seed) &* 31 ^ ($0 &+ seed) >> 8) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + period.count)
    while bytes.count < count { bytes += period }
    bytes.removeLast(bytes.count - count)
    return bytes
}
