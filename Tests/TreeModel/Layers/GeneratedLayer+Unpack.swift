// Unpacking a generated layer as the lower directory of kernel overlayfs, by plain system calls.

import Glibc
import LaminaCore
import LaminaSystem

extension GeneratedLayer {
    /// Fills an empty directory, with overlayfs's whiteouts (kernel `overlayfs.rst`).
    public func unpack(into path: ByteString) throws {
        let root = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        for entry in entries where !entry.path.isEmpty && !entry.hidesNothing { try make(entry, in: root) }
        // What is in a directory changes its time.
        for entry in entries.reversed() {
            if case .hardLink = entry.kind { continue }
            try setAttributes(of: entry, in: root)
        }
    }

    private func make(_ entry: GeneratedEntry, in root: borrowing Descriptor) throws {
        switch entry.kind {
        case .directory: try root.makeDirectory(entry.path, permissions: 0o700)
        case .file(let bytes):
            try root.open(entry.path, O_WRONLY | O_CREAT | O_EXCL, permissions: 0o600).writeAll(bytes)
        case .symlink(let target): try root.makeSymlink(entry.path, target: target)
        case .hardLink(let target): try root.link(target, to: root, entry.path)
        case .fifo, .null, .whiteout:
            try root.makeNode(entry.path, mode: entry.type.rawValue, device: entry.device)
        }
    }

    private func setAttributes(of entry: GeneratedEntry, in root: borrowing Descriptor) throws {
        let path: ByteString = entry.path.isEmpty ? "." : entry.path
        if entry.kind == .whiteout { return }
        let handle = try root.openPath(path)
        try handle.setPathOwner(uid: entry.uid, gid: entry.gid)
        if entry.type != .symlink { try handle.setPathPermissions(entry.permissions) }
        for attribute in entry.attributes {
            try handle.setExtendedAttribute(attribute.name, attribute.value.raw)
        }
        if entry.kind == .directory(opaque: true) {
            try handle.setExtendedAttribute("trusted.overlay.opaque", [UInt8(ascii: "y")].raw)
        }
        try handle.setPathTimes(atime: .set(entry.time), mtime: .set(entry.time))
    }
}
