// Wire holds what the floor needs of the kernel's protocol, linux/fuse.h: opcodes, flags and sizes in bytes.

enum Opcode {
    static let lookup: UInt32 = 1
    static let forget: UInt32 = 2
    static let getAttributes: UInt32 = 3
    static let setAttributes: UInt32 = 4
    static let readLink: UInt32 = 5
    static let makeSymlink: UInt32 = 6
    static let makeNode: UInt32 = 8
    static let makeDirectory: UInt32 = 9
    static let unlink: UInt32 = 10
    static let removeDirectory: UInt32 = 11
    static let rename: UInt32 = 12
    static let link: UInt32 = 13
    static let open: UInt32 = 14
    static let read: UInt32 = 15
    static let write: UInt32 = 16
    static let statFilesystem: UInt32 = 17
    static let release: UInt32 = 18
    static let sync: UInt32 = 20
    static let getExtendedAttribute: UInt32 = 22
    static let listExtendedAttributes: UInt32 = 23
    static let initialize: UInt32 = 26
    static let openDirectory: UInt32 = 27
    static let readDirectory: UInt32 = 28
    static let releaseDirectory: UInt32 = 29
    static let syncDirectory: UInt32 = 30
    static let create: UInt32 = 35
    static let interrupt: UInt32 = 36
    static let destroy: UInt32 = 38
    static let batchForget: UInt32 = 42
    static let readDirectoryPlus: UInt32 = 44
    static let rename2: UInt32 = 45
}

enum InitFlag {
    static let asyncRead: UInt32 = 1 << 0
    /// Opens bring O_TRUNC, instead of a request of its own.
    static let truncatingOpen: UInt32 = 1 << 3
    static let bigWrites: UInt32 = 1 << 5
    static let readDirectoryPlus: UInt32 = 1 << 13
    static let noOpenSupport: UInt32 = 1 << 17
    static let parallelDirectoryOperations: UInt32 = 1 << 18
    static let maxPages: UInt32 = 1 << 22
    static let cacheSymlinks: UInt32 = 1 << 23
    static let noOpenDirectorySupport: UInt32 = 1 << 24
    /// Writes do not ask for `security.capability` first.
    static let handleKillPrivileges: UInt32 = 1 << 28
    static let extended: UInt32 = 1 << 30
    /// Of the second word.
    static let passthrough: UInt32 = 1 << 5
}

enum OpenAnswer {
    static let keepCache: UInt32 = 1 << 1
    static let cacheDirectory: UInt32 = 1 << 3
    static let noFlush: UInt32 = 1 << 5
    static let passthrough: UInt32 = 1 << 7
}

/// Bits of `fuse_setattr_in.valid`.
enum Valid {
    static let mode: UInt32 = 1 << 0
    static let user: UInt32 = 1 << 1
    static let group: UInt32 = 1 << 2
    static let size: UInt32 = 1 << 3
    static let accessTime: UInt32 = 1 << 4
    static let modificationTime: UInt32 = 1 << 5
    static let handle: UInt32 = 1 << 6
    static let accessNow: UInt32 = 1 << 7
    static let modificationNow: UInt32 = 1 << 8
}

enum Size {
    static let requestHeader = 40
    static let replyHeader = 16
    static let initReply = 64
    static let entry = 128
    static let directoryEntry = 24
}
