// Short ways to look at and change a mounted tree, each through ordinary system calls.

import Glibc
import LaminaCore
import LaminaSystem

extension MountedSandbox {
    public func path(_ name: ByteString) -> ByteString { mountpoint.appending(name) }

    public func open(_ name: ByteString, _ flags: Int32, permissions: UInt32 = 0o644) throws -> Descriptor {
        try Descriptor.open(path(name), flags, permissions: permissions)
    }

    public func root() throws -> Descriptor {
        try Descriptor.open(mountpoint, O_RDONLY | O_DIRECTORY)
    }

    public func read(_ name: ByteString) throws -> String {
        String(decoding: try open(name, O_RDONLY).readAll(limit: 64 << 20), as: UTF8.self)
    }

    /// Makes or replaces a file.
    public func write(_ name: ByteString, _ text: String) throws {
        try open(name, O_WRONLY | O_CREAT | O_TRUNC).writeAll(Array(text.utf8))
    }

    public func append(_ name: ByteString, _ text: String) throws {
        try open(name, O_WRONLY | O_APPEND).writeAll(Array(text.utf8))
    }

    public func status(_ name: ByteString) throws -> FileStatus {
        try FileStatus.of(path(name))
    }

    public func exists(_ name: ByteString) -> Bool {
        (try? status(name)) != nil
    }

    /// The names in a directory, sorted.
    public func list(_ name: ByteString) throws -> [ByteString] {
        try open(name, O_RDONLY | O_DIRECTORY).entries().map(\.name).sorted()
    }

    public func makeDirectory(_ name: ByteString) throws {
        try root().makeDirectory(name, permissions: 0o755)
    }

    public func remove(_ name: ByteString) throws {
        try root().removeFile(name)
    }

    public func removeDirectory(_ name: ByteString) throws {
        try root().removeDirectory(name)
    }

    public func rename(_ name: ByteString, to newName: ByteString, flags: UInt32 = 0) throws {
        try root().rename(name, to: root(), newName, flags: flags)
    }

    public func link(_ name: ByteString, to newName: ByteString) throws {
        try root().link(name, to: root(), newName)
    }
}
