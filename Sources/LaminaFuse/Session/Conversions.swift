// Values of the union as libfuse wants them.

import CFuse3
import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

extension stat {
    init(_ status: FileStatus) {
        self.init()
        st_ino = UInt(status.inode)
        st_mode = status.mode
        st_nlink = UInt(status.linkCount)
        st_uid = status.uid
        st_gid = status.gid
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
    init(_ entry: Entry?) {
        self.init()
        entry_timeout = Reply.timeout
        attr_timeout = Reply.timeout
        guard let entry else { return }
        ino = entry.id.rawValue
        attr = stat(entry.status)
    }
}

extension Creation {
    /// Who asks, and the mode that is wanted, from which the umask is not taken yet.
    @unsafe
    init(mode: mode_t, request: fuse_req_t) {
        guard let context = unsafe fuse_req_ctx(request) else {
            self.init(permissions: mode & 0o7777, uid: 0, gid: 0)
            return
        }
        // SAFETY: the context lives as long as the request.
        self.init(
            permissions: mode & 0o7777, uid: unsafe context.pointee.uid, gid: unsafe context.pointee.gid,
            umask: unsafe context.pointee.umask)
    }
}
