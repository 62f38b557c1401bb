// MadeCopy owns a copy of a lower node that is complete in `work`, with its attributes and marks, and
// has no name in the sandbox yet. A crash leaves only what the next mount empties.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem

/// Which bytes a copy of a regular file gets.
enum CopiedBytes {
    /// None: it goes on showing the lower file's.
    case none
    /// This many from the start; the others are lost.
    case first(UInt64)
    /// What writing needs: all, shared or, where they are few, copied; else a block map.
    case forWriting
}

/// A copy in `work`.
struct MadeCopy: ~Copyable {
    /// Of a regular file one open for writing, of others `O_PATH`.
    let handle: Descriptor
    /// Where a regular file's bytes are; nil when they are all its own, durably.
    var data: UpperData?
    var kind: CopyKind
}

extension Namespace {
    /// Makes a copy of a lower node that is no directory, called `temporary`.
    func makeCopy(
        of nid: UInt64, type: FileType, at temporary: ByteString, _ bytes: CopiedBytes
    ) throws(Errno) -> MadeCopy {
        do throws(Errno) {
            let node = try lower.node(nid)
            switch type {
            case .regular: return try makeFile(of: nid, node, at: temporary, bytes)
            case .symlink:
                try upper.work.makeSymlink(temporary, target: try lower.symlinkTarget(nid))
            default:
                try upper.work.makeNode(temporary, mode: node.mode, device: node.device)
            }
            let handle = try upper.work.openPath(temporary)
            try upper.setOrigin(nid, of: handle)
            try copyAttributes(of: nid, to: handle, mtime: .set(node.mtime))
            return MadeCopy(handle: handle, data: nil, kind: .metadata)
        } catch {
            // A full disk must not get fuller with each attempt.
            try? upper.work.removeFile(temporary)
            throw error
        }
    }

    private func makeFile(
        of nid: UInt64, _ node: TreeNode, at temporary: ByteString, _ bytes: CopiedBytes
    ) throws(Errno) -> MadeCopy {
        let file = try upper.work.open(
            temporary, O_RDWR | O_CREAT | O_EXCL,
            permissions: upper.firstPermissions(node.mode & 0o777, .regular))
        try upper.setOrigin(nid, of: file)
        let (data, kind) = try fill(file, temporary, size: node.size, of: nid, bytes)
        do throws(Errno) {
            // Cut while it is copied: the copy is the change, and tells its time.
            var mtime = TimeChange.set(node.mtime)
            if case .first(let count) = bytes, count < node.size { mtime = .now }
            try copyAttributes(of: nid, to: file, mtime: mtime)
            return MadeCopy(handle: file, data: data, kind: kind)
        } catch {
            data?.discard()
            throw error
        }
    }

    /// Gives a new file its bytes, and the marks that say where the others are.
    private func fill(
        _ file: borrowing Descriptor, _ temporary: ByteString, size: UInt64, of nid: UInt64,
        _ bytes: CopiedBytes
    ) throws(Errno) -> (data: UpperData?, kind: CopyKind) {
        switch bytes {
        case .none:
            guard size > 0 else { return (nil, .whole) }
            guard let length = Int64(exactly: size) else { throw .fileTooLarge }
            try file.truncate(to: length)
            let empty: [UInt8] = []
            try file.setExtendedAttribute(upper.convention.metacopy, empty.raw)
            let data = UpperData(source: nid, kind: .lower, limit: size, lower: lower, upper: upper)
            return (data, .metadata)
        case .first(let count):
            guard count > 0, size > 0 else { return (nil, .whole) }
            let content = try lower.openContent(nid)
            try content.copy(to: file, count: min(count, content.length))
            return (try markWhole(file, temporary, nid), .whole)
        case .forWriting:
            guard size > 0 else { return (nil, .whole) }
            let content = try lower.openContent(nid)
            if content.length > UpperData.wholeLimit, try !content.clone(to: file) {
                return (try makeMap(file, temporary, nid, content), .byBlock)
            }
            if content.length <= UpperData.wholeLimit { try content.copy(to: file, count: content.length) }
            return (try markWhole(file, temporary, nid), .whole)
        }
    }

    /// Notes that a file has all its bytes, and that they are not durable yet.
    private func markWhole(
        _ file: borrowing Descriptor, _ temporary: ByteString, _ nid: UInt64
    ) throws(Errno) -> UpperData? {
        guard !upper.isVolatile else { return nil }
        try upper.unsettled.makeRoom()
        let held = SharedDescriptor(try upper.work.open(temporary, O_RDONLY | O_NOFOLLOW))
        try upper.setFresh(file)
        try upper.setRefused(file)
        return UpperData(
            source: nid, kind: .whole, limit: 0, stage: .marked(held), lower: lower, upper: upper)
    }

    private func makeMap(
        _ file: borrowing Descriptor, _ temporary: ByteString, _ nid: UInt64, _ content: LowerContent
    ) throws(Errno) -> UpperData {
        guard let length = Int64(exactly: content.length) else { throw .fileTooLarge }
        try upper.unsettled.makeRoom()
        try file.truncate(to: length)
        var stage = UpperData.Stage.settled
        if !upper.isVolatile {
            stage = .marked(SharedDescriptor(try upper.work.open(temporary, O_RDONLY | O_NOFOLLOW)))
            try upper.setFresh(file)
        }
        let (name, map) = try upper.maps.create(nid: nid, size: content.length)
        do throws(Errno) {
            try upper.setMap(BlockMapMark(name: name, limit: content.length), of: file)
        } catch {
            upper.maps.remove(name)
            throw error
        }
        return UpperData(
            source: nid, kind: .mapped(name), limit: content.length, stage: stage, map: map,
            content: content, lower: lower, upper: upper)
    }

    /// Gives a copy the attributes of its lower node. Times last: everything else changes them.
    private func copyAttributes(
        of nid: UInt64, to handle: borrowing Descriptor, mtime: TimeChange
    ) throws(Errno) {
        try copyIdentity(of: nid, to: handle)
        try handle.setPathTimes(atime: .set(lower.node(nid).mtime), mtime: mtime)
    }

    /// Owner, mode and xattrs.
    func copyIdentity(of nid: UInt64, to handle: borrowing Descriptor) throws(Errno) {
        let node = try lower.node(nid)
        try upper.setIdentity(
            of: handle, uid: node.uid, gid: node.gid, mode: node.mode,
            attributes: try lower.extendedAttributes(nid))
    }
}
