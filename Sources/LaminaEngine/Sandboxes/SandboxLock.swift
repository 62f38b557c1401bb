// SandboxLock is the lock between verbs that change one sandbox's mount: two mounts, or a
// mount and an rm, come one after the other. It ends with its process; the server's own lock
// is another file's.

import Glibc
import LaminaCore
import LaminaSystem

/// A held lock on one sandbox's directory.
struct SandboxLock: ~Copyable {
    /// Nil when the directory is lost, which must not keep rm from the rest.
    private let directory: Descriptor?

    /// Waits at most 60 seconds, longer than any one verb takes; `busy` after that.
    init(_ sandbox: Sandbox, called name: String) throws(LaminaError) {
        let file: Descriptor
        do throws(Errno) {
            file = try Descriptor.open(sandbox.directory, O_RDONLY | O_DIRECTORY)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw LaminaError(sandbox.directory, error) }
            directory = nil
            return
        }
        try Self.wait(for: file, sandbox, called: name)
        directory = consume file
    }

    private static func wait(
        for directory: borrowing Descriptor, _ sandbox: Sandbox, called name: String
    ) throws(LaminaError) {
        for _ in 0..<6_000 {
            do throws(Errno) {
                try directory.lock(exclusive: true, wait: false)
                return
            } catch {
                guard error == .wouldBlock else { throw LaminaError(sandbox.directory, error) }
                usleep(10_000)
            }
        }
        throw LaminaError(.busy, name, "another command is at work on it")
    }

    /// Lets go of the lock; keeps it until this call.
    consuming func end() {}
}
