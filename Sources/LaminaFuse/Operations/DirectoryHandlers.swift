// Requests about the entries of directories. A listing is encoded by libfuse into one buffer, as
// many entries as fit.

import CFuse3
import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

/// Bytes that one listing may fill; the kernel asks for 4 KiB to 1 MiB.
private let largestListing = 1 << 20

extension fuse_lowlevel_ops {
    mutating func setDirectoryHandlers() {
        unsafe opendir = { request, _, info in
            unsafe answer(request, with: { reply, info in reply.opened(info) }) { (server) throws(Errno) in
                // From then on the kernel opens directories without asking, and keeps their listings.
                if server.unasked.directories { throw .noFunction }
                var info = try unsafe fileInfo(info)
                info.cache_readdir = 1
                info.keep_cache = 1
                return info
            }
        }
        unsafe readdir = { request, id, size, offset, _ in
            unsafe list(request, NodeID(rawValue: id), size: size, offset: offset, plus: false)
        }
        unsafe readdirplus = { request, id, size, offset, _ in
            unsafe list(request, NodeID(rawValue: id), size: size, offset: offset, plus: true)
        }
        unsafe fsyncdir = { request, id, _, _ in
            unsafe answer(request, with: { reply, _ in reply.success() }) { (server) throws(Errno) in
                try server.union.syncDirectory(NodeID(rawValue: id))
            }
        }
    }
}

@unsafe
private func list(
    _ request: fuse_req_t?, _ directory: NodeID, size: Int, offset: off_t, plus: Bool
) {
    guard let request = unsafe request else { return }
    // SAFETY: allocated here, freed after libfuse has copied the bytes out.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(size, largestListing), alignment: 16)
    defer { unsafe buffer.deallocate() }
    unsafe answer(
        request,
        with: { reply, used in unsafe reply.data(UnsafeRawBufferPointer(rebasing: buffer[..<used])) }
    ) { (server) throws(Errno) in
        var writer = unsafe ListingWriter(request: request, buffer: buffer)
        guard offset >= 0 else { throw .invalidArgument }
        var detail = plus ? server.listingAdvice.answer() : .bare
        var isLeftOut = false
        try server.union.forEachEntry(of: directory, from: UInt64(offset)) { name, inode, type, next in
            if type == .directory ? plus : detail == .full {
                return server.union.append(name, inode, type, next, of: directory, to: &writer)
            }
            if detail == .probing { detail = .full }
            isLeftOut = true
            return writer.append(name, inode: inode, type: type, next: next, plus: plus)
        }
        if plus, isLeftOut { server.listingAdvice.leftOut(in: directory) }
        return writer.used
    }
}

extension Union {
    /// Adds an entry with its attributes; false when it does not fit. A name that went away
    /// since the listing began is passed over.
    fileprivate func append(
        _ name: Span<UInt8>, _ inode: UInt64, _ type: FileType?, _ next: UInt64, of directory: NodeID,
        to writer: inout ListingWriter
    ) -> Bool {
        if name.isDot { return writer.append(name, inode: inode, type: type, next: next, plus: true) }
        guard let entry = try? listedEntry(name, inode: inode, in: directory) else { return true }
        if writer.append(name, entry: entry, next: next) { return true }
        forget(entry.id, count: 1)
        return false
    }
}

extension Span where Element == UInt8 {
    /// Whether this is `.` or `..`, of which the kernel wants no attributes.
    fileprivate var isDot: Bool {
        let dot = UInt8(ascii: ".")
        return count == 1 && self[0] == dot || count == 2 && self[0] == dot && self[1] == dot
    }
}

/// Fills one buffer with directory entries in the protocol's form.
@safe
struct ListingWriter {
    private let request: fuse_req_t
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var used = 0

    /// - Parameter buffer: must outlive the writer.
    @unsafe
    init(request: fuse_req_t, buffer: UnsafeMutableRawBufferPointer) {
        unsafe self.request = unsafe request
        unsafe self.buffer = unsafe buffer
    }

    /// Adds an entry without attributes; false when it does not fit.
    mutating func append(
        _ name: Span<UInt8>, inode: UInt64, type: FileType?, next: UInt64, plus: Bool = false
    ) -> Bool {
        var attributes = stat()
        attributes.st_ino = UInt(inode)
        attributes.st_mode = type?.rawValue ?? 0
        if plus {
            var parameters = fuse_entry_param()
            parameters.attr = attributes
            return unsafe append(name, next: next) { request, start, space, name, next in
                unsafe fuse_add_direntry_plus(request, start, space, name, &parameters, next)
            }
        }
        return unsafe append(name, next: next) { request, start, space, name, next in
            unsafe fuse_add_direntry(request, start, space, name, &attributes, next)
        }
    }

    /// Adds an entry that counts as a lookup; false when it does not fit.
    mutating func append(_ name: Span<UInt8>, entry: Entry, next: UInt64) -> Bool {
        var parameters = fuse_entry_param(entry, unsafe identities(of: request))
        return unsafe append(name, next: next) { request, start, space, name, next in
            unsafe fuse_add_direntry_plus(request, start, space, name, &parameters, next)
        }
    }

    @unsafe
    private mutating func append(
        _ name: Span<UInt8>, next: UInt64,
        _ add: (fuse_req_t, UnsafeMutablePointer<CChar>?, Int, UnsafePointer<CChar>, off_t) -> Int
    ) -> Bool {
        guard name.count <= Limits.nameLength else { return true }
        let space = unsafe buffer.count - used
        // SAFETY: the name and its NUL fit into the allocation, as just checked.
        let size = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Limits.nameLength + 1) {
            text in
            for index in 0..<name.count { unsafe text[index] = CChar(bitPattern: name[index]) }
            unsafe text[name.count] = 0
            guard let text = text.baseAddress, let base = unsafe buffer.baseAddress else { return space + 1 }
            // SAFETY: libfuse writes only when the entry fits into `space`.
            let start = unsafe (base + used).assumingMemoryBound(to: CChar.self)
            return unsafe add(request, start, space, text, off_t(Int64(bitPattern: next)))
        }
        guard size <= space else { return false }
        used += size
        return true
    }
}
