// ImageTree owns the tree of an image that a redirect shows. It never changes, so that the kernel may remember all
// of it, and its nodes need no table: a number says which image and which node of it.

import Glibc
import LaminaCore
import LaminaIndex
import LaminaSystem

final class ImageTree: Sendable {
    let redirect: Redirect
    let lower: LowerTree
    /// Among the images that this union ever showed.
    let number: Int
    /// What stands at the point.
    let root: UInt64
    let isDirectory: Bool

    /// Images that one union may show in its life.
    static let most = 1 << 20

    /// - Throws: what is wrong with the redirect's subpath.
    init(_ redirect: Redirect, _ lower: LowerTree, number: Int) throws(RedirectFailure) {
        self.redirect = redirect
        self.lower = lower
        self.number = number
        do throws(Errno) {
            root = try Self.find(redirect.subpath ?? "", in: lower)
            isDirectory = FileType(mode: try lower.node(root).mode) == .directory
        } catch {
            throw RedirectFailure(redirect, "\(redirect.subpath ?? "/") in the image: \(error)")
        }
    }

    /// As the engine has it, a subpath is relative; `..` never leaves the image.
    private static func find(_ path: ByteString, in lower: LowerTree) throws(Errno) -> UInt64 {
        var steps = [Tree.root]
        for name in path.components where name != "." {
            if name == ".." {
                if steps.count > 1 { steps.removeLast() }
                continue
            }
            guard let directory = steps.last, FileType(mode: try lower.node(directory).mode) == .directory
            else {
                throw .notDirectory
            }
            guard let nid = try lower.lookup(name, in: directory) else { throw .noSuchFileOrDirectory }
            // Its meaning would depend on where the container puts the image.
            guard FileType(mode: try lower.node(nid).mode) != .symlink else {
                throw .tooManySymbolicLinkLevels
            }
            steps.append(nid)
        }
        return steps.last ?? Tree.root
    }

    func id(_ nid: UInt64) -> NodeID { .inImage(UInt64(number), nid) }

    func status(_ nid: UInt64) throws(Errno) -> FileStatus {
        var status = try lower.status(nid)
        status.inode = id(nid).rawValue
        return status
    }

    func entry(_ nid: UInt64) throws(Errno) -> Entry { Entry(id: id(nid), status: try status(nid)) }

    func lookup(_ name: ByteString, in directory: UInt64) throws(Errno) -> Entry {
        guard let nid = try lower.lookup(name, in: directory) else { throw .noSuchFileOrDirectory }
        return try entry(nid)
    }

    /// All entries of a directory.
    func entries(of directory: UInt64) throws(Errno) -> [ListedEntry] {
        var result: [ListedEntry] = []
        try lower.forEachEntry(of: directory, from: 0) { name, nid, type, _ in
            result.append(ListedEntry(name: ByteString(name), inode: id(nid).rawValue, type: type))
            return true
        }
        return result
    }

    func extendedAttribute(_ nid: UInt64, _ name: ByteString) throws(Errno) -> [UInt8] {
        if nid == root, name == Redirects.attribute { return redirect.attribute }
        guard let value = try lower.extendedAttribute(nid, name) else { throw .noData }
        return value
    }

    func extendedAttributeNames(_ nid: UInt64) throws(Errno) -> [ByteString] {
        let names = try lower.extendedAttributes(nid).map(\.name)
        return nid == root ? names + [Redirects.attribute] : names
    }
}
