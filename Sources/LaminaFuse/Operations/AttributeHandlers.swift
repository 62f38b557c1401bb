// Requests about a node's attributes.

import CFuse3
import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

extension fuse_lowlevel_ops {
    mutating func setAttributeHandlers() {
        unsafe setattr = { request, id, attributes, wanted, info in
            unsafe answer(request, with: { reply, status in reply.attributes(status) }) {
                (server) throws(Errno) in
                guard let attributes = unsafe attributes else { throw .invalidArgument }
                // SAFETY: libfuse fills the structure for the call.
                var change = AttributeChange(unsafe attributes.pointee, wanted: wanted)
                // ftruncate(2) tells the time whatever the size was, and the kernel does not ask for it.
                // Nor for O_TRUNC of an open that is not asked for.
                let isOpen = unsafe info != nil || server.unasked.files && change.size == 0
                if isOpen, change.size != nil, change.mtime == .keep { change.mtime = .now }
                try server.identities?.store(&change)
                let status = try server.union.setAttributes(of: NodeID(rawValue: id), change)
                if change.size != nil { server.deliveries.waitForEnd(of: NodeID(rawValue: id)) }
                return status
            }
        }
        unsafe readlink = { request, id in
            unsafe answer(request, with: { reply, target in reply.symlink(target) }) {
                (server) throws(Errno) in
                try server.union.symlinkTarget(of: NodeID(rawValue: id))
            }
        }
        unsafe statfs = { request, id in
            unsafe answer(request, with: { reply, status in reply.filesystem(status) }) {
                (server) throws(Errno) in
                try server.union.filesystemStatus(of: NodeID(rawValue: id))
            }
        }
    }

    mutating func setExtendedAttributeHandlers() {
        unsafe listxattr = { request, id, size in
            unsafe answer(
                request, with: { reply, value in reply.attributeValue(value, limit: size) }
            ) { (server) throws(Errno) in
                var list: [UInt8] = []
                let names = try server.union.extendedAttributeNames(of: NodeID(rawValue: id))
                for name in names where unsafe isVisible(name, to: request) {
                    list += name.bytes
                    list.append(0)
                }
                return list
            }
        }
        unsafe setxattr = { request, id, name, value, size, flags in
            unsafe answer(request, with: { reply, _ in reply.success() }) { (server) throws(Errno) in
                // SAFETY: libfuse hands over `size` bytes of value.
                let bytes = unsafe Array(UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size))
                try server.union.setExtendedAttribute(
                    of: NodeID(rawValue: id), try unsafe byteString(name), bytes, flags: flags)
            }
        }
        unsafe removexattr = { request, id, name in
            unsafe answer(request, with: { reply, _ in reply.success() }) { (server) throws(Errno) in
                try server.union.removeExtendedAttribute(
                    of: NodeID(rawValue: id), try unsafe byteString(name))
            }
        }
    }
}

/// `trusted.*` names are listed for the superuser only, as `xattr(7)` has it.
@unsafe
private func isVisible(_ name: ByteString, to request: fuse_req_t?) -> Bool {
    guard name.hasPrefix("trusted.") else { return true }
    guard let request = unsafe request, let context = unsafe fuse_req_ctx(request) else { return false }
    // SAFETY: the context lives as long as the request.
    return unsafe context.pointee.uid == 0
}

extension AttributeChange {
    /// The parts of `attributes` that the bits `FUSE_SET_ATTR_*` in `wanted` name.
    init(_ attributes: stat, wanted: Int32) {
        self.init()
        if wanted & FUSE_SET_ATTR_MODE != 0 { permissions = attributes.st_mode & 0o7777 }
        if wanted & FUSE_SET_ATTR_UID != 0 { uid = attributes.st_uid }
        if wanted & FUSE_SET_ATTR_GID != 0 { gid = attributes.st_gid }
        if wanted & FUSE_SET_ATTR_SIZE != 0 { size = UInt64(clamping: attributes.st_size) }
        if wanted & FUSE_SET_ATTR_ATIME_NOW != 0 {
            atime = .now
        } else if wanted & FUSE_SET_ATTR_ATIME != 0 {
            atime = .set(Timestamp(attributes.st_atim))
        }
        if wanted & FUSE_SET_ATTR_MTIME_NOW != 0 {
            mtime = .now
        } else if wanted & FUSE_SET_ATTR_MTIME != 0 {
            mtime = .set(Timestamp(attributes.st_mtim))
        }
    }
}
