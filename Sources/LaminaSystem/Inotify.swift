// Inotify owns one queue of what happens in watched directories (`inotify(7)`).

import Glibc
import LaminaCore

/// Something that happened in a watched directory, or to it.
public struct DirectoryEvent: Sendable {
    /// The watch's number; -1 when events were lost.
    public let number: Int32
    /// Of the entry; empty for the directory itself.
    public let name: ByteString
    private let mask: UInt32

    init(_ number: Int32, _ mask: UInt32, _ name: ByteString) {
        self.number = number
        self.mask = mask
        self.name = name
    }

    /// Events were lost: anything may have happened.
    public var isOverflow: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 }
    /// The watch is gone, with its directory or its filesystem.
    public var isEnd: Bool { mask & UInt32(IN_IGNORED) != 0 }
    /// Something got a name.
    public var isNewName: Bool { mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0 }
    /// A name came or went.
    public var isOfNames: Bool {
        mask & UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO) != 0
    }
}

/// A queue of events.
public struct Inotify: ~Copyable, Sendable {
    public let descriptor: Descriptor

    /// Names that come and go, bytes and attributes of what has them, and of the directory. What has no name any more
    /// is nobody's business.
    private static let mask = UInt32(
        IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

    /// - Throws: `EMFILE` when the user has as many as he may.
    public init() throws(Errno) {
        descriptor = Descriptor(owning: try checked { inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC)) })
    }

    /// Whether the user may have so many more: other programs of his need some too.
    public static func isRoom(for count: Int) -> Bool {
        var others: [SharedDescriptor] = []
        while others.count < count {
            guard let one = try? checked({ inotify_init1(Int32(IN_CLOEXEC)) }) else { return false }
            others.append(SharedDescriptor(Descriptor(owning: one)))
        }
        return true
    }

    /// Watches a directory, also by an `O_PATH` descriptor. One has one number, however often it is watched.
    /// - Throws: `ENOSPC` when the user has as many watches as he may, `EACCES` for what he may not read.
    public borrowing func watch(_ directory: borrowing Descriptor) throws(Errno) -> Int32 {
        let raw = descriptor.rawValue
        // SAFETY: the path is NUL-terminated and alive during the call.
        return try unsafe directory.processPath.withCString { (path) throws(Errno) in
            try checked { unsafe inotify_add_watch(raw, path, Self.mask) }
        }
    }

    public borrowing func remove(_ number: Int32) {
        _ = inotify_rm_watch(descriptor.rawValue, number)
    }

    /// Takes events that are there, as many as fit into the buffer. Never waits.
    /// - Parameter buffer: 16 bytes and a longest name at least.
    /// - Returns: false when there is none.
    public borrowing func take(_ buffer: inout [UInt8], _ each: (DirectoryEvent) -> Void) -> Bool {
        var space = buffer.mutableSpan
        let count = try? unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
            // SAFETY: the caller's array.
            try unsafe descriptor.read(into: bytes)
        }
        guard let count, count > 0 else { return false }
        var place = 0
        let bytes = buffer.raw
        // struct inotify_event: number, mask, cookie, the name's length with its NULs.
        while place &+ 16 <= count {
            let number: Int32 = bytes.number(at: place)
            let mask: UInt32 = bytes.number(at: place &+ 4)
            let length: UInt32 = bytes.number(at: place &+ 12)
            let end = place &+ 16 &+ Int(length)
            guard end <= count else { break }
            each(DirectoryEvent(number, mask, ByteString(buffer[(place &+ 16)..<end])))
            place = end
        }
        return true
    }
}

extension RawSpan {
    fileprivate func number<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Value {
        // SAFETY: any bytes are an integer; the span checks its bounds.
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
    }
}
