// Helpers of the index tests: scratch directories, and layers built from a few words.

import Foundation
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@testable import LaminaIndex

/// Runs `body` with a fresh directory that is removed afterwards.
func withScratch<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = "/tmp/lamina-index-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// A digest of 32 equal bytes.
func digest(_ byte: UInt8) -> Digest {
    guard let digest = Digest(bytes: [UInt8](repeating: byte, count: 32)) else {
        preconditionFailure("32 bytes are a digest")
    }
    return digest
}

func createFile(_ path: String) throws -> Descriptor {
    try Descriptor.open(ByteString(path), O_RDWR | O_CREAT | O_TRUNC, permissions: 0o644)
}

func openTree(_ path: String) throws -> Tree {
    try Tree(try MappedFile(try Descriptor.open(ByteString(path), O_RDONLY)))
}

func lookup(_ tree: borrowing Tree, _ path: ByteString) throws -> UInt64? {
    var node = Tree.root
    for component in path.components {
        guard let next = try component.withSpan({ try tree.lookup($0, in: node) }) else { return nil }
        node = next
    }
    return node
}

/// The entries of a layer, in tar order.
struct TestLayer {
    var entries: [(entry: TarEntry, data: FileData)] = []
    /// The layer's name: a digest of 32 such bytes.
    var id: UInt8
    var streamSize: UInt64 = 1 << 20

    init(_ id: UInt8) {
        self.id = id
    }

    mutating func add(
        _ path: ByteString, _ kind: TarEntryKind, _ type: FileType, permissions: UInt32 = 0o644,
        uid: UInt32 = 0, gid: UInt32 = 0, mtime: Timestamp = Timestamp(seconds: 1),
        device: DeviceNumber = .zero,
        attributes: [ByteString: String] = [:], data: FileData = .empty
    ) {
        let file = FileAttributes(
            type: type, permissions: permissions, uid: uid, gid: gid, mtime: mtime, device: device)
        let extended = attributes.sorted { $0.key < $1.key }.map {
            ExtendedAttribute(name: $0.key, value: Array($0.value.utf8))
        }
        entries.append(
            (
                TarEntry(
                    path: path, kind: kind, attributes: file, extendedAttributes: extended, size: data.length),
                data
            ))
    }

    mutating func directory(
        _ path: ByteString, permissions: UInt32 = 0o755, attributes: [ByteString: String] = [:]
    ) {
        add(path, .directory, .directory, permissions: permissions, attributes: attributes)
    }

    /// A file whose bytes are `length` at block `block` of the stream.
    mutating func file(
        _ path: ByteString, block: UInt64 = 1, length: UInt64 = 10, permissions: UInt32 = 0o644
    ) {
        add(
            path, .file, .regular, permissions: permissions,
            data: .stream(offset: block * 512, length: length))
    }

    mutating func whiteout(_ path: ByteString) {
        add(path, .file, .regular)
    }

    mutating func symlink(_ path: ByteString, to target: ByteString) {
        add(path, .symlink(target: target), .symlink, permissions: 0o777)
    }

    mutating func hardLink(_ path: ByteString, to target: ByteString) {
        add(path, .hardLink(target: target), .regular)
    }

    /// Writes the index to `path`.
    func write(to path: String) throws {
        var builder = LayerIndexBuilder()
        for (entry, data) in entries { try builder.add(entry, data: data) }
        let file = try createFile(path)
        let size = try builder.finish(diffID: digest(id), streamSize: streamSize, to: file)
        #expect(try file.status().size == Int64(size))
    }
}

/// Writes and merges `layers`, lowest first; hands the chain's path to `body`.
func withChain<Result>(_ layers: [TestLayer], _ body: (String) throws -> Result) throws -> Result {
    try withScratch { scratch in
        var trees: [SharedTree] = []
        for (number, layer) in layers.enumerated() {
            let path = "\(scratch)/layer\(number)"
            try layer.write(to: path)
            trees.append(SharedTree(try openTree(path)))
        }
        let path = scratch + "/chain"
        try ChainMerge.write(trees, to: try createFile(path))
        return try body(path)
    }
}

/// A tree as text, a line for each name: path, type and permissions in octal, links, and
/// what a node of its type holds; then its xattrs.
func describe(_ tree: borrowing Tree) throws -> [String] {
    var lines: [String] = []
    var pending: [(path: ByteString, nid: UInt64)] = [("", Tree.root)]
    while let (path, nid) = pending.popLast() {
        var line = try "/\(path) \(String(tree.node(nid).mode, radix: 8)) \(tree.node(nid).linkCount)"
        let node = try tree.node(nid)
        switch node.type {
        case .regular:
            switch try tree.content(nid) {
            case .empty: line += " empty"
            case .stream(let device, let offset, let length): line += " \(device):\(offset / 512)+\(length)"
            case .object(let digest, let length): line += " \(digest.hex.prefix(2))+\(length)"
            }
        case .symlink: line += try " -> \(tree.symlinkTarget(nid))"
        case .characterDevice, .blockDevice: line += " \(node.device.major):\(node.device.minor)"
        default: break
        }
        if try node.type == .directory && tree.isOpaque(nid) { line += " opaque" }
        for attribute in try tree.extendedAttributes(nid) {
            line += " \(attribute.name)=\(String(decoding: attribute.value, as: UTF8.self))"
        }
        lines.append(line)
        guard node.type == .directory else { continue }
        var children: [(ByteString, UInt64)] = []
        try tree.forEachEntry(of: nid, from: 0) { name, child, _, _ in
            let name = ByteString(name)
            if name != "." && name != ".." { children.append((path.appending(name), child)) }
            return true
        }
        pending += children.reversed()
    }
    return lines
}
