// Order owns the command line, and openUnion what it names: a chain's union with an empty sandbox.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem
import LaminaUnion

struct Order {
    var threads = 1
    var seconds = 1.0
    var misses = false
    var store: ByteString = ""
    var chain: ByteString = ""
    var room: ByteString = ""
    var paths: ByteString = ""

    init(_ words: [String]) throws(LookupError) {
        var rest = words[...]
        while let word = rest.first, word.hasPrefix("--") {
            rest.removeFirst()
            switch word {
            case "--misses": misses = true
            case "--threads": threads = Int(rest.popFirst() ?? "") ?? 0
            case "--seconds": seconds = Double(rest.popFirst() ?? "") ?? 0
            default: throw LookupError("unknown option \(word)")
            }
        }
        guard rest.count == 4, threads > 0, seconds > 0 else {
            throw LookupError(
                "usage: union-lookups [--threads N] [--misses] [--seconds S] STORE CHAIN ROOM PATHS")
        }
        let names = rest.map { ByteString($0) }
        (store, chain, room, paths) = (names[0], names[1], names[2], names[3])
    }
}

/// The union of the chain, read-only, as a mount of a new sandbox would have it.
func openUnion(_ order: Order) throws(LookupError) -> Union {
    do {
        let store = try Descriptor.open(order.store, O_RDONLY | O_DIRECTORY)
        let tree = try Tree(try MappedFile(try store.open("chains/" + order.chain + ".erofs", O_RDONLY)))
        var streams: [SharedDescriptor] = []
        for device in tree.devices {
            let path = ByteString("layers/\(device.diffID.hex)/stream")
            streams.append(SharedDescriptor(try store.open(path, O_RDONLY)))
        }
        let objects = SharedDescriptor(try store.open("objects", OpenFlag.path | O_DIRECTORY))
        let room = try Descriptor.open(order.room, O_RDONLY | O_DIRECTORY)
        try room.makeDirectories("upper")
        try room.makeDirectories("work")
        var options = UnionOptions()
        options.isReadOnly = true
        return try Union(
            lower: try LowerTree(tree: tree, streams: streams, objects: objects),
            upper: try room.open("upper", OpenFlag.path | O_DIRECTORY),
            work: try room.open("work", O_RDONLY | O_DIRECTORY), options)
    } catch {
        throw LookupError("\(order.store), chain \(order.chain): \(error)")
    }
}

/// Why there is no figure.
struct LookupError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
