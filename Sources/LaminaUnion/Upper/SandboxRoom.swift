// SandboxRoom owns one directory beside `upper` and `work`, which is made when first needed.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

/// A directory of the sandbox for the union's own files.
final class SandboxRoom: Sendable {
    private let sandbox: SharedDescriptor
    private let name: ByteString
    private let directory = Mutex<SharedDescriptor?>(nil)

    init(_ name: ByteString, in sandbox: SharedDescriptor) {
        self.name = name
        self.sandbox = sandbox
    }

    /// - Parameter making: whether a missing directory is made; otherwise `ENOENT` says so.
    func open(making: Bool) throws(Errno) -> SharedDescriptor {
        try directory.withLock { (directory) throws(Errno) in
            if let directory { return directory }
            if making { try make() }
            let opened = SharedDescriptor(
                try sandbox.descriptor.open(name, OpenFlag.path | O_DIRECTORY | O_NOFOLLOW))
            directory = opened
            return opened
        }
    }

    private func make() throws(Errno) {
        do throws(Errno) {
            try sandbox.descriptor.makeDirectory(name, permissions: 0o700)
        } catch Errno.fileExists {
            return
        }
    }
}
