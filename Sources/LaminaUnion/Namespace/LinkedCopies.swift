// Publishing a copy under several names. A copy is in `links` until it has all of them: a
// mount that finds one there goes on, so that a crash leaves no file half copied up.

import Glibc
import LaminaCore
import LaminaSystem

extension Namespace {
    /// Gives the copy in `work` all its names. The move into `links` is the point of no
    /// return: from there on the next mount would finish it.
    mutating func publishLinks(
        _ temporary: ByteString, of nid: UInt64, at places: [Place]
    ) throws(Errno) {
        let links = try upper.links.open(making: true)
        let name = ByteString(String(nid))
        try upper.work.rename(temporary, to: links.descriptor, name)
        do throws(Errno) {
            try link(name, of: links, at: places)
        } catch {
            retract(name, of: links, from: places)
            throw error
        }
    }

    private mutating func link(
        _ name: ByteString, of links: SharedDescriptor, at places: [Place]
    ) throws(Errno) {
        for (index, place) in places.enumerated() {
            try self.place(at: place) { (directory, path) throws(Errno) in
                if index == places.count - 1 {
                    try links.descriptor.rename(name, to: directory, path)
                } else {
                    try links.descriptor.link(name, to: directory, path)
                }
            }
        }
    }

    /// Takes back what an error left of a copy. Where that fails too, the next mount finishes
    /// the copy; until then both show the same.
    private mutating func retract(_ name: ByteString, of links: SharedDescriptor, from places: [Place]) {
        guard let inode = try? links.descriptor.status(of: name).inode else { return }
        for place in places {
            guard let status = try? upper.status(of: place.name, in: place.directory),
                status.inode == inode
            else { continue }
            guard
                (try? self.place(at: place) { (directory, path) throws(Errno) in
                    try directory.removeFile(path)
                }) != nil
            else { return }
        }
        try? links.descriptor.removeFile(name)
    }

    /// Finishes the copies that a crash left without some of their names.
    mutating func finishLinks() throws(Errno) {
        let links: SharedDescriptor
        do throws(Errno) {
            links = try upper.links.open(making: false)
        } catch Errno.noSuchFileOrDirectory {
            return
        }
        for entry in try links.descriptor.openDirectory(".").entries() {
            guard let nid = UInt64(String(decoding: entry.name.bytes, as: UTF8.self)),
                let node = try? lower.node(nid), entry.type == FileType(mode: node.mode)
            else {
                UnionLog.report("links/\(entry.name): not a copy of a lower file; removed")
                try links.descriptor.removeFile(entry.name)
                continue
            }
            let places = try visiblePlaces(of: nid)
            if places.isEmpty {
                try links.descriptor.removeFile(entry.name)
            } else {
                try link(entry.name, of: links, at: places)
            }
        }
    }
}
