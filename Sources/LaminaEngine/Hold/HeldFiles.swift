// HeldFiles owns how a file that was listed is found again when its turn comes, wherever it was moved meanwhile.
//
// Invariant: no more descriptors than half of what this process may have; the other files are found by the kernel's
// lasting names (`open_by_handle_at(2)`).

import Glibc
import LaminaCore
import LaminaSystem

/// A regular file that was listed.
enum HeldFile: Sendable {
    /// Its bytes stay even when its last name goes. An `O_PATH` one.
    case descriptor(SharedDescriptor)
    case handle(FileHandle, on: SharedDescriptor)

    /// Opens it for reading.
    /// - Throws: `ESTALE` when it is gone.
    func open() throws(Errno) -> Descriptor {
        let flags = O_RDONLY | O_NONBLOCK
        switch self {
        case .descriptor(let file): return try file.descriptor.reopen(flags)
        case .handle(let handle, let filesystem): return try handle.open(on: filesystem.descriptor, flags)
        }
    }
}

/// Holds files of one filesystem.
struct HeldFiles {
    private let filesystem: SharedDescriptor
    private let hasHandles: Bool
    private var room: Int

    /// - Parameter filesystem: a file of it that is no `O_PATH` one.
    init(on filesystem: consuming Descriptor) {
        let filesystem = SharedDescriptor(filesystem)
        self.filesystem = filesystem
        let handle = try? FileHandle(of: filesystem.descriptor)
        let opened = try? handle?.open(on: filesystem.descriptor, O_RDONLY)
        hasHandles = opened != nil
        room = Self.raisedLimit() / 2
    }

    /// The soft limit of descriptors is made for programs that use `select(2)`.
    private static func raisedLimit() -> Int {
        var limit = rlimit()
        // SAFETY: the kernel fills and reads the local.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        let isRaised = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return min(Int(clamping: isRaised ? limit.rlim_max : soft), 1 << 20)
    }

    /// - Throws: `EMFILE` when there are too many for a process that may not open files by their handles.
    mutating func hold(_ file: borrowing Descriptor) throws(Errno) -> HeldFile {
        if room > 0 {
            room -= 1
            return .descriptor(SharedDescriptor(try file.duplicate()))
        }
        guard hasHandles else { throw .tooManyOpenFiles }
        return .handle(try FileHandle(of: file), on: filesystem)
    }
}
