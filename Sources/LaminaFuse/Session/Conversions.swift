// Values of the union as libfuse wants them.

import CFuse3
import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

extension stat {
    init(_ status: FileStatus, _ identities: Identities?) {
        self.init()
        st_ino = UInt(status.inode)
        st_mode = status.mode
        st_nlink = UInt(status.linkCount)
        st_uid = identities?.shownUser(status.uid) ?? status.uid
        st_gid = identities?.shownGroup(status.gid) ?? status.gid
        st_rdev = dev_t(status.namedDevice.encoded)
        st_size = Int(status.size)
        st_blocks = Int(status.blocks)
        st_blksize = Int(status.blockSize)
        st_atim = timespec(status.atime)
        st_mtim = timespec(status.mtime)
        st_ctim = timespec(status.ctime)
    }
}

extension timespec {
    init(_ time: Timestamp) {
        self.init(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
    }
}

extension Timestamp {
    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }
}

extension DeviceNumber {
    /// The 32-bit form of the FUSE protocol, `new_encode_dev` of the kernel, which is
    /// glibc's `dev_t` for numbers that fit.
    var encoded: UInt32 {
        minor & 0xFF | (major & 0xFFF) << 8 | (minor & 0xFFF00) << 12
    }

    init(encoded: UInt32) {
        self.init(major: encoded >> 8 & 0xFFF, minor: encoded & 0xFF | encoded >> 12 & 0xFFF00)
    }
}

extension fuse_entry_param {
    /// Number 0 says that there is no such name.
    init(_ entry: Entry?, _ identities: Identities?) {
        self.init()
        entry_timeout = Reply.timeout(ofNameOf: entry)
        guard let entry else { return }
        ino = entry.id.rawValue
        attr_timeout = Reply.timeout(of: entry.status)
        attr = stat(entry.status, identities)
    }
}

extension Creation {
    /// Who asks, and the mode that is wanted, from which the umask is not taken yet.
    /// - Throws: `EINVAL` for a caller whom the image has no id for.
    @unsafe
    init(mode: mode_t, request: fuse_req_t) throws(Errno) {
        guard let context = unsafe fuse_req_ctx(request) else { throw .ioError }
        // SAFETY: the context lives as long as the request.
        let caller = unsafe context.pointee
        try self.init(
            permissions: mode, uid: caller.uid, gid: caller.gid, umask: caller.umask,
            unsafe identities(of: request))
    }

    /// The same with the caller's ids as the mount shows them.
    init(
        permissions: UInt32, uid: UInt32, gid: UInt32, umask: UInt32, _ identities: Identities?
    ) throws(Errno) {
        var (user, group) = (uid, gid)
        if let identities {
            guard let stored = identities.storedUser(uid), let storedGroup = identities.storedGroup(gid)
            else {
                throw .invalidArgument
            }
            (user, group) = (stored, storedGroup)
        }
        self.init(permissions: permissions & 0o7777, uid: user, gid: group, umask: umask)
    }
}
