// How the bytes of files travel between kernel and server, and what follows from it for the
// requests that open and close.

import CFuse3
import Synchronization

/// Who holds a file's bytes in memory.
public enum DataMode: Sendable {
    /// The kernel asks for each opening, and this server moves all bytes.
    case asked
    /// The kernel asks for each opening, and reads and writes by itself what is one whole file on disk:
    /// Linux 6.9, as root of the machine. Elsewhere as `asked`.
    case passthrough
    /// The kernel opens without asking and keeps what it read, so that a warm file costs no request.
    case cached

    /// Whether files are opened without asking.
    var opensUnasked: Bool { self == .cached }
}

/// Which openings are answered once with `ENOSYS`, after which the kernel asks for none of them.
/// Settled when the kernel says what it can.
final class UnaskedOpens: Sendable {
    private let forFiles = Atomic<Bool>(false)
    private let forDirectories = Atomic<Bool>(false)

    var files: Bool { forFiles.load(ordering: .relaxed) }
    var directories: Bool { forDirectories.load(ordering: .relaxed) }

    func settle(files: Bool, directories: Bool) {
        forFiles.store(files, ordering: .relaxed)
        forDirectories.store(directories, ordering: .relaxed)
    }
}
