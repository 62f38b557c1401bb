// Listings: a range of the mirror, or what the tree has in a directory whose entries were changed.

import Glibc
import LaminaCore
import LaminaSystem

/// The changed directory that was last listed from its start.
struct Listing {
    var directory: UInt32?
    var entries: [DirectoryEntry] = []
}

extension Server {
    /// Entries from the position asked for, until the answer is full.
    mutating func list(_ request: Request, plus: Bool, _ message: inout Message) throws(Errno) {
        let directory = try known(request.node)
        let start: UInt64 = field(48)
        if start == 0, listing.directory == directory || mirror.nodes[Int(directory)].isRelisted {
            listing.directory = nil
            listing.entries = try tree.openDirectory(try mirror.path(directory)).entries()
            listing.directory = directory
        }
        let limit = Size.replyHeader + min(Int(field(56) as UInt32), Message.capacity - Size.replyHeader)
        if listing.directory == directory {
            listChanged(directory, start, limit, plus, &message)
        } else {
            listMirrored(directory, start, limit, plus, &message)
        }
    }

    private func listMirrored(
        _ directory: UInt32, _ start: UInt64, _ limit: Int, _ plus: Bool, _ message: inout Message
    ) {
        let children = mirror.nodes[Int(directory)].children
        var position = start
        while position < UInt64(children.count) {
            let number = children.lowerBound + UInt32(position)
            let name = mirror.nodes[Int(number)]
            position += 1
            // A listing that began before is not asked again about what went since.
            if name.isGone || name.parent != directory { continue }
            let node = name.node
            let status = mirror.nodes[Int(node)].status
            let isTold =
                !mirror.nodes[Int(node)].isChanged && (options.listsFully || status.type == .directory)
            let size = sizeOfEntry(name.name.count, plus)
            guard message.position + size <= limit else { return }
            if plus {
                if isTold { putEntry(status, node, &message) } else { message.putZeros(Size.entry) }
            }
            putHead(status.inode, position, name.name.count, status.mode >> 12, &message)
            for place in name.name { message.put(mirror.names[Int(place)]) }
            message.putZeros(padding(name.name.count))
        }
    }

    private func listChanged(
        _ directory: UInt32, _ start: UInt64, _ limit: Int, _ plus: Bool, _ message: inout Message
    ) {
        for index in Int(clamping: start)..<max(listing.entries.count, Int(clamping: start)) {
            let entry = listing.entries[index]
            guard message.position + sizeOfEntry(entry.name.count, plus) <= limit else { return }
            if plus { message.putZeros(Size.entry) }
            putHead(
                entry.inode, UInt64(index) + 1, entry.name.count, (entry.type?.rawValue ?? 0) >> 12, &message)
            message.put(entry.name.bytes)
            message.putZeros(padding(entry.name.count))
        }
    }

    private func putHead(
        _ inode: UInt64, _ next: UInt64, _ length: Int, _ type: UInt32, _ message: inout Message
    ) {
        message.put(inode)
        message.put(next)
        message.put(UInt32(length))
        message.put(type)
    }

    private func padding(_ length: Int) -> Int { (8 - length % 8) % 8 }

    private func sizeOfEntry(_ length: Int, _ plus: Bool) -> Int {
        (plus ? Size.entry : 0) + Size.directoryEntry + length + padding(length)
    }
}
