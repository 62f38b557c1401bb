// Scratch owns a directory in memory, so that no disk is measured. It lies in `LAMINA_PARTS_SCRATCH`, which
// Benchmarks/micro makes and removes: statics that live until the process ends are never deinitialised.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaSystem
import LaminaUnion

/// A directory, with a store's chain where one was made.
final class Scratch: Sendable {
    let path: ByteString

    init(_ name: String) throws {
        // SAFETY: the string is copied before anything could change the environment.
        let room = unsafe getenv("LAMINA_PARTS_SCRATCH").map { unsafe String(cString: $0) }
        guard let room else { throw Errno.noSuchFileOrDirectory }
        path = ByteString("\(room)/\(getpid()).\(name)")
        try Descriptor.open(ByteString(room), O_RDONLY | O_DIRECTORY).makeDirectory(path, permissions: 0o700)
    }

    func directory() throws -> Descriptor { try Descriptor.open(path, O_RDONLY | O_DIRECTORY) }

    /// The index of a layer with `names` as empty files of directory `d`.
    func layer(_ name: ByteString, of names: [ByteString]) throws -> SharedTree {
        var builder = LayerIndexBuilder()
        let attributes = FileAttributes(
            type: .regular, permissions: 0o644, mtime: Timestamp(seconds: 1_700_000_000))
        for file in names {
            try builder.add(
                TarEntry(path: ByteString("d").appending(file), kind: .file, attributes: attributes),
                data: .empty)
        }
        let file = try directory().open(name, O_RDWR | O_CREAT, permissions: 0o600)
        try builder.finish(diffID: SHA256.digest(of: Array(name.bytes).raw), streamSize: 0, to: file)
        return SharedTree(try Tree(try MappedFile(file)))
    }

    /// A union of one chain and an empty sandbox.
    func union(of layers: [SharedTree]) throws -> Union {
        let room = try directory()
        for name: ByteString in ["upper", "work", "objects"] {
            try room.makeDirectory(name, permissions: 0o700)
        }
        let chain = try room.open("chain", O_RDWR | O_CREAT, permissions: 0o600)
        try ChainMerge.write(layers, to: chain)
        let tree = try Tree(try MappedFile(chain))
        var streams: [SharedDescriptor] = []
        for _ in tree.devices {
            streams.append(SharedDescriptor(try room.open("stream", O_RDWR | O_CREAT, permissions: 0o600)))
        }
        let lower = try LowerTree(
            tree: tree, streams: streams,
            objects: SharedDescriptor(try room.open("objects", OpenFlag.path | O_DIRECTORY)))
        var options = UnionOptions()
        options.isVolatile = true
        return try Union(
            lower: lower, upper: try room.open("upper", OpenFlag.path | O_DIRECTORY),
            work: try room.open("work", O_RDONLY | O_DIRECTORY), options)
    }
}

/// Names of one width, sorted.
func sortedNames(_ count: Int) -> [ByteString] {
    (0..<count).map { number in
        let digits = String(number)
        return ByteString("name" + String(repeating: "0", count: 8 - digits.count) + digits)
    }
}
