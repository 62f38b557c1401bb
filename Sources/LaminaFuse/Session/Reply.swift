// Reply owns the duty to answer one request: exactly once, which the compiler holds for
// twice and deinit for never.

import CFuse3
import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

/// The pending answer to a request.
@safe
struct Reply: ~Copyable {
    // SAFETY: libfuse keeps the request alive until it is answered.
    private let request: fuse_req_t

    /// Seconds for which the kernel need not ask again: nobody else changes the tree.
    static let timeout = 3_600.0
    /// Seconds where somebody else may: beneath redirects.
    static let sharedTimeout = 1.0

    static func timeout(of lifetime: NodeLifetime) -> Double {
        switch lifetime {
        case .own: timeout
        case .claimed: Double(VolumeClaim.seconds)
        case .shared: sharedTimeout
        case .fleeting: 0
        }
    }

    /// Seconds for which the kernel may remember what stat shows.
    static func timeout(of status: FileStatus) -> Double { timeout(of: status.lifetime) }

    /// Seconds for which it may remember that a name leads to a node.
    static func timeout(ofNameOf entry: Entry?) -> Double {
        guard let entry else { return timeout }
        if entry.isNameFleeting { return 0 }
        return entry.status.isShared ? timeout(of: entry.status) : timeout
    }

    @unsafe
    init(_ request: fuse_req_t) {
        unsafe self.request = unsafe request
    }

    deinit {
        _ = unsafe fuse_reply_err(request, EIO)
    }

    private consuming func take() -> fuse_req_t {
        let value = unsafe request
        discard self
        return unsafe value
    }

    consuming func fail(_ error: Errno) {
        _ = unsafe fuse_reply_err(take(), error.rawValue)
    }

    consuming func success() {
        _ = unsafe fuse_reply_err(take(), 0)
    }

    /// For requests that have no answer.
    consuming func none() {
        unsafe fuse_reply_none(take())
    }

    /// A node, or that there is none, which the kernel remembers too.
    consuming func entry(_ entry: Entry?) {
        // A reply that does not reach the kernel is one to an interrupted request; the
        // kernel then forgets the lookup itself.
        var parameters = fuse_entry_param(entry, unsafe identities(of: request))
        _ = unsafe fuse_reply_entry(take(), &parameters)
    }

    consuming func attributes(_ status: FileStatus) {
        var attributes = stat(status, unsafe identities(of: request))
        _ = unsafe fuse_reply_attr(take(), &attributes, Reply.timeout(of: status))
    }

    consuming func symlink(_ target: ByteString) {
        let request = unsafe take()
        // SAFETY: libfuse copies the string during the call.
        unsafe target.withCString { _ = unsafe fuse_reply_readlink(request, $0) }
    }

    consuming func opened(_ info: fuse_file_info) {
        var info = info
        _ = unsafe fuse_reply_open(take(), &info)
    }

    consuming func written(_ count: Int) {
        _ = unsafe fuse_reply_write(take(), count)
    }

    consuming func offset(_ offset: UInt64) {
        _ = unsafe fuse_reply_lseek(take(), off_t(clamping: offset))
    }

    consuming func filesystem(_ status: FilesystemStatus) {
        var result = statvfs()
        result.f_bsize = UInt(clamping: status.blockSize)
        result.f_frsize = UInt(clamping: status.fragmentSize)
        result.f_blocks = UInt(clamping: status.blocks)
        result.f_bfree = UInt(clamping: status.freeBlocks)
        result.f_bavail = UInt(clamping: status.availableBlocks)
        result.f_files = UInt(clamping: status.files)
        result.f_ffree = UInt(clamping: status.freeFiles)
        result.f_favail = UInt(clamping: status.freeFiles)
        result.f_namemax = UInt(Limits.nameLength)
        _ = unsafe fuse_reply_statfs(take(), &result)
    }

    @unsafe
    consuming func data(_ bytes: UnsafeRawBufferPointer) {
        _ = unsafe fuse_reply_buf(take(), bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }

    /// The value of an xattr or the list of their names, or its size when `limit` is 0.
    consuming func attributeValue(_ bytes: [UInt8], limit: Int) {
        if limit == 0 {
            _ = unsafe fuse_reply_xattr(take(), bytes.count)
        } else if bytes.count > limit {
            fail(.outOfRange)
        } else {
            let request = unsafe take()
            // SAFETY: libfuse copies the bytes during the call.
            unsafe bytes.raw.withUnsafeBytes { buffer in
                _ = unsafe fuse_reply_buf(
                    request, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
            }
        }
    }
}
