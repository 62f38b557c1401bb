// FixtureStore owns the part of a store's layout that a mount reads: streams, objects and
// a chain image, made from test layers without the ingest.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaSystem
import LaminaUnion

/// A store with one chain.
public struct FixtureStore {
    /// The chain's name; what it names is of no matter to a mount.
    public static var chain: String { String(repeating: "c", count: 64) }

    /// Writes `layers`, lowest first, below `root`.
    public static func write(_ layers: [[FixtureEntry]], to root: borrowing Descriptor) throws {
        try root.makeDirectories("objects")
        try root.makeDirectories("chains")
        var trees: [SharedTree] = []
        for (number, layer) in layers.enumerated() {
            let diffID = SHA256.digest(of: Array("layer \(number)".utf8).raw)
            trees.append(try write(layer, diffID: diffID, to: root))
        }
        let file = try root.open(
            ByteString("chains/\(chain).erofs"), O_RDWR | O_CREAT | O_EXCL, permissions: 0o600)
        try ChainMerge.write(trees, to: file)
    }

    /// The chain of the store below `root`, as a mount opens it.
    public static func lowerTree(
        in root: borrowing Descriptor, objectsAreReadOnly: Bool = false
    ) throws -> LowerTree {
        let tree = try Tree(try MappedFile(try root.open(ByteString("chains/\(chain).erofs"), O_RDONLY)))
        var streams: [SharedDescriptor] = []
        for device in tree.devices {
            let path = ByteString("layers/\(device.diffID.hex)/stream")
            streams.append(SharedDescriptor(try root.open(path, O_RDONLY)))
        }
        return try LowerTree(
            tree: tree, streams: streams,
            objects: SharedDescriptor(try root.open("objects", OpenFlag.path | O_DIRECTORY)),
            objectsAreReadOnly: objectsAreReadOnly)
    }

    private static func write(
        _ layer: [FixtureEntry], diffID: Digest, to root: borrowing Descriptor
    ) throws -> SharedTree {
        let path = ByteString("layers/\(diffID.hex)")
        try root.makeDirectories(path)
        let directory = try root.openDirectory(path)
        let stream = try directory.open("stream", O_RDWR | O_CREAT, permissions: 0o600)
        // A payload never stands at 0: a tar starts with a header.
        var size: UInt64 = 512
        var builder = LayerIndexBuilder()
        for item in layer {
            var data = FileData.empty
            if let size = item.sparseSize {
                let digest = SHA256.digest(of: Array("sparse \(item.entry.path)".utf8).raw)
                try writeObject(item.bytes, size: size, as: digest, to: root)
                data = .object(digest, length: size)
            } else if item.bytes.count >= Limits.objectThreshold {
                data = .object(try writeObject(item.bytes, to: root), length: UInt64(item.bytes.count))
            } else if !item.bytes.isEmpty {
                data = .stream(offset: size, length: UInt64(item.bytes.count))
                try stream.writeAll(item.bytes.raw, at: Int64(size))
                size = (size + UInt64(item.bytes.count) + 511) / 512 * 512
            }
            try builder.add(item.entry, data: data)
        }
        try stream.truncate(to: Int64(size))
        let index = try directory.open("index.erofs", O_RDWR | O_CREAT, permissions: 0o600)
        try builder.finish(diffID: diffID, streamSize: size, to: index)
        return SharedTree(try Tree(try MappedFile(index)))
    }

    private static func writeObject(_ bytes: [UInt8], to root: borrowing Descriptor) throws -> Digest {
        let digest = SHA256.digest(of: bytes.raw)
        try writeObject(bytes, size: UInt64(bytes.count), as: digest, to: root)
        return digest
    }

    private static func writeObject(
        _ bytes: [UInt8], size: UInt64, as digest: Digest, to root: borrowing Descriptor
    ) throws {
        let directory = ByteString("objects/\(digest.hex.prefix(2))")
        try root.makeDirectories(directory)
        let file = try root.open(
            directory.appending(ByteString(String(digest.hex.dropFirst(2)))), O_WRONLY | O_CREAT,
            permissions: 0o444)
        try file.writeAll(bytes)
        try file.truncate(to: Int64(size))
    }
}
