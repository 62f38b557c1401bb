// ContainerRecord owns the file `container` in a sandbox's directory: which runtime runs a program in it, and,
// by its lock, that somebody waits for the end of that program. No recorded name is trusted without the lock.

import Glibc
import LaminaCore
import LaminaSystem

/// A program that runs in a sandbox.
public struct RunningContainer: Sendable, Hashable {
    /// Seconds since the epoch.
    public var started: Int64
    /// Its first process, as the host numbers it; nil while it is being started.
    public var process: Int32?
}

/// The held lock of whoever waits for a container.
struct ContainerRecord: ~Copyable {
    static let name: ByteString = "container"
    private let file: Descriptor

    /// Begins a container. Throws `busy` when there is one.
    init(of sandbox: Sandbox, called name: String, runtime: ByteString) throws(LaminaError) {
        let path = sandbox.directory.appending(Self.name)
        do throws(Errno) {
            file = try Self.locked(path, runtime)
        } catch {
            if error == .wouldBlock { throw LaminaError(.busy, name, "is already running") }
            throw LaminaError(path, error)
        }
    }

    private static func locked(_ path: ByteString, _ runtime: ByteString) throws(Errno) -> Descriptor {
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, permissions: 0o600)
        try file.lock(exclusive: true, wait: false)
        try file.truncate(to: 0)
        try file.writeAll(Array(runtime.bytes) + [0x0A])
        return file
    }

    /// The container has come to its end, and what belongs to it is cleared away.
    consuming func end() {
        try? file.truncate(to: 0)
    }

    /// What runs in a sandbox; nil for nothing.
    static func running(in directory: ByteString) -> RunningContainer? {
        guard let file = locked(in: directory), let status = try? file.status() else { return nil }
        let text = try? Descriptor.open(ContainerRuntime.processFile(in: directory), O_RDONLY)
            .readBytes(at: 0, count: 32)
        let process = text.flatMap { Int32(String(decoding: $0, as: UTF8.self)) }
        return RunningContainer(started: status.mtime.seconds, process: process)
    }

    /// The runtime's file that a record names.
    static func runtime(in record: borrowing Descriptor) throws(Errno) -> ByteString {
        ByteString(try record.readBytes(at: 0, count: 4_096).prefix { $0 != 0x0A })
    }

    /// The record of a container that somebody waits for.
    static func locked(in directory: ByteString) -> Descriptor? {
        guard let file = try? Descriptor.open(directory.appending(name), O_RDONLY | O_NOFOLLOW),
            (try? file.lock(exclusive: false, wait: false)) == nil
        else { return nil }
        return file
    }
}
