// StoredLayer takes a tar all the way into a store, with its index, and looks at both.

import Foundation
import Glibc
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

/// A layer in a store of its own.
final class StoredLayer: Sendable {
    let store: Store
    let summary: LayerSummary
    let shared: SharedTree
    private let directory: TemporaryDirectory

    /// Ingests `blob`, writes its index and publishes both.
    init(_ blob: [UInt8], limits: IngestLimits = IngestLimits()) throws {
        directory = try TemporaryDirectory()
        let store = try Store(at: directory.path)
        self.store = store
        (summary, shared) = try Self.load(blob, limits, store)
    }

    private static func load(
        _ blob: [UInt8], _ limits: IngestLimits, _ store: Store
    ) throws -> (LayerSummary, SharedTree) {
        var options = IngestOptions()
        options.limits = limits
        var builder = LayerIndexBuilder()
        let staged = try store.ingestLayer(from: MemorySource(blob), options: options, into: &builder)
        let summary = staged.summary
        let file = try staged.directory.open(StorePath.index, O_RDWR | O_CREAT | O_EXCL, permissions: 0o444)
        try builder.finish(diffID: summary.diffID, streamSize: summary.streamSize, to: file)
        let tree = SharedTree(try Tree(try MappedFile(file)))
        try staged.publish()
        return (summary, tree)
    }

    /// The tar as the store gives it back.
    func tar() throws -> [UInt8] {
        var reader = try LayerReader(store, summary.diffID)
        var buffer = Buffer(capacity: 1 << 20)
        var result: [UInt8] = []
        while try buffer.fill(from: &reader) {
            // SAFETY: the bytes are copied during the call.
            unsafe buffer.bytes.withUnsafeBufferPointer { unsafe result.append(contentsOf: $0) }
        }
        return result
    }

    /// The node of `path`; nil when the layer has none.
    func node(_ path: ByteString) throws -> TreeNode? {
        var nid = Tree.root
        for component in path.components {
            guard let next = try component.withSpan({ try shared.tree.lookup($0, in: nid) }) else {
                return nil
            }
            nid = next
        }
        return try shared.tree.node(nid)
    }

    /// The bytes of the file at `path`.
    func bytes(_ path: ByteString) throws -> [UInt8] {
        let node = try #require(try node(path))
        switch try shared.tree.content(node.nid) {
        case .empty: return []
        case .stream(_, let offset, let length):
            return try store.openLayer(summary.diffID, StorePath.stream)
                .readBytes(at: Int64(offset), count: Int(length))
        case .object(let digest, let length):
            return try store.openObject(digest).readBytes(at: 0, count: Int(length) + 1)
        }
    }

    /// All paths of the tree, sorted; directories end in a slash.
    func paths() throws -> [String] {
        var result: [String] = []
        var pending: [(ByteString, UInt64)] = [("", Tree.root)]
        while let (path, nid) = pending.popLast() {
            try shared.tree.forEachEntry(of: nid, from: 0) { name, child, type, _ in
                let name = ByteString(name)
                if name == "." || name == ".." { return true }
                let below = path.appending(name)
                result.append(type == .directory ? "\(below)/" : "\(below)")
                if type == .directory { pending.append((below, child)) }
                return true
            }
        }
        return result.sorted()
    }

    /// Why a layer is refused, which must leave nothing in the store; nil when it is taken.
    static func refusal(
        of blob: [UInt8], limits: IngestLimits = IngestLimits()
    ) throws -> StoreError? {
        try withFreshStore { store in
            guard let error = ingestError(of: blob, limits, store) else { return nil }
            let leftovers = try store.root.openDirectory("ingest").entries()
            let content = try StoreContent.allCases.flatMap { try store.inventory($0) }
            #expect(leftovers.isEmpty && content.isEmpty)
            return error
        }
    }

    private static func ingestError(
        of blob: [UInt8], _ limits: IngestLimits, _ store: Store
    ) -> StoreError? {
        do throws(StoreError) {
            var options = IngestOptions()
            options.limits = limits
            var builder = LayerIndexBuilder()
            _ = try store.ingestLayer(from: MemorySource(blob), options: options, into: &builder)
            return nil
        } catch {
            return error
        }
    }
}

/// Runs `body` with an empty store, undisturbed by tests of faults.
func withFreshStore<Result>(_ body: (Store) throws -> Result) throws -> Result {
    try withTemporaryPath { path in
        let store = try Store(at: path)
        return try body(store)
    }
}

/// The tars that other projects test with.
enum Corpus {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../LaminaCodecTests/Corpus").standardized

    /// All of them, by name.
    static func files() throws -> [String] {
        try ["go", "python", "tar-split"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(atPath: directory.appending(path: folder).path())
                .map { "\(folder)/\($0)" }
        }.sorted()
    }

    static func read(_ file: String) throws -> [UInt8] {
        try Array(Data(contentsOf: directory.appending(path: file)))
    }
}
