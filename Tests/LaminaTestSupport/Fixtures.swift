// What tests of several modules share: a directory of their own, and a sink that remembers.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// Runs `body` with the path of a fresh directory that is removed afterwards.
public func withTemporaryPath<Result>(_ body: (ByteString) throws -> Result) throws -> Result {
    let path = ByteString("/tmp/lamina-test-\(getpid())-\(UInt64.random(in: 0 ... .max))")
    let root = try Descriptor.open("/", O_RDONLY | O_DIRECTORY)
    try root.makeDirectory(path, permissions: 0o700)
    defer { try? root.removeTree(path) }
    return try body(path)
}

/// Keeps every entry it is given; refuses the entry of path `refused`.
public struct RecordingSink: LayerEntrySink {
    public struct Item: Sendable {
        public var entry: TarEntry
        public var data: FileData
    }

    public private(set) var items: [Item] = []
    public var refused: ByteString?

    public init(refusing refused: ByteString? = nil) {
        self.refused = refused
    }

    public mutating func add(_ entry: TarEntry, data: FileData) throws(LayerError) {
        if entry.path == refused { throw .emptyLinkTarget(entry.path) }
        items.append(Item(entry: entry, data: data))
    }
}

/// The SHA-256 of `bytes`.
public func sha256(_ bytes: [UInt8]) -> Digest {
    SHA256.digest(of: bytes.raw)
}

/// What the first bytes of `bytes` say of its compression.
public func detect(_ bytes: [UInt8]) -> Compression {
    Compression.detect(bytes.span)
}
