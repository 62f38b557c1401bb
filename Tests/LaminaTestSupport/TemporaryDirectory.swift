// TemporaryDirectory owns a fresh directory that is removed with it.

import Glibc
import LaminaCore
import LaminaSystem

/// A directory of its own for one test.
public final class TemporaryDirectory: Sendable {
    public let path: ByteString
    public let descriptor: Descriptor

    /// `inMemory` is for tests of many small writes and syncs that no disk has to see.
    public init(inMemory: Bool = false) throws {
        let hasMemory = inMemory && (try? FileStatus.of("/dev/shm").type) == .directory
        path = ByteString(
            "\(hasMemory ? "/dev/shm" : "/tmp")/lamina-test-\(getpid())-\(UInt64.random(in: 0 ... .max))")
        let root = try Descriptor.open("/", O_RDONLY | O_DIRECTORY)
        try root.makeDirectory(path, permissions: 0o755)
        descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    }

    deinit {
        try? Descriptor.open("/", O_RDONLY | O_DIRECTORY).removeTree(path)
    }
}
