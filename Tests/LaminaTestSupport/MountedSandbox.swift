// MountedSandbox owns a real mount of test layers, served by the lamina-mountd that was
// just built, and takes it away in the end.

import Glibc
import LaminaCore
import LaminaSystem

/// A mount for one test. Paths given to its methods are relative to the container's root.
public final class MountedSandbox: Sendable {
    public let store: TemporaryDirectory
    public let isReadOnly: Bool
    /// More words for the server's command line.
    public let options: [ByteString]

    /// What all mounts are tested with: `LAMINA_TEST_MOUNT`, words between spaces.
    public static let commonOptions: [ByteString] =
        unsafe getenv("LAMINA_TEST_MOUNT").map { text in
            unsafe String(cString: text).split(separator: " ").map { ByteString(String($0)) }
        } ?? []

    /// Whether a mount can be tried here; if not, says so, and in CI it is a failure.
    public static let isPossible: Bool = {
        if geteuid() == 0, (try? Descriptor.open("/dev/fuse", O_RDWR)) != nil { return true }
        print("SKIPPED, NOT TESTED: mounts need root and /dev/fuse")
        if unsafe getenv("LAMINA_CI") != nil { preconditionFailure("CI must run the mount tests") }
        return false
    }()

    public convenience init(
        _ layers: [FixtureEntry]..., readOnly: Bool = false, options: [ByteString]? = nil
    ) throws {
        try self.init(layers: layers, readOnly: readOnly, options: options)
    }

    /// Mounts `layers`, lowest first, with redirects.
    public init(
        layers: [[FixtureEntry]], readOnly: Bool = false, inMemory: Bool = false,
        options: [ByteString]? = nil,
        redirects: [PlacedRedirect] = []
    ) throws {
        self.options = options ?? Self.commonOptions
        store = try TemporaryDirectory(inMemory: inMemory)
        isReadOnly = readOnly
        try FixtureStore.write(layers, to: store.descriptor)
        for name in ["sandbox", "sandbox/upper", "sandbox/work", "mount"] {
            try store.descriptor.makeDirectory(ByteString(name), permissions: 0o755)
        }
        if !redirects.isEmpty { try setRedirects(redirects) }
        try mount()
    }

    /// Writes what the next mount is told of redirects.
    public func setRedirects(_ list: [PlacedRedirect]) throws {
        let file = try Descriptor.open(
            sandbox.appending(RedirectList.name), O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o600)
        try file.writeAll(RedirectList.encode(list))
    }

    deinit {
        try? MountTable.unmount(mountpoint, lazy: true)
    }

    public var mountpoint: ByteString { store.path.appending("mount") }
    public var sandbox: ByteString { store.path.appending("sandbox") }

    /// The program in the directory `LAMINA_PROGRAMS`, or else beside the test bundle.
    public static func program(_ name: ByteString) throws -> ByteString {
        if let directory = CommandRun.environment("LAMINA_PROGRAMS") {
            return ByteString(directory).appending(name)
        }
        let test = try Descriptor.workingDirectory().readLink("/proc/self/exe")
        for directory in [test, try testBundle()] {
            let parent = ByteString("/").appending(
                directory.components.dropLast().reduce("") { $0.appending($1) })
            let program = parent.appending(name)
            if (try? FileStatus.of(program)) != nil { return program }
        }
        throw MountError("\(name) was not built beside \(test)")
    }

    /// The bundle's path, when a runner loaded it and is itself elsewhere.
    private static func testBundle() throws -> ByteString {
        for (index, word) in CommandLine.arguments.enumerated() where word == "--test-bundle-path" {
            if index + 1 < CommandLine.arguments.count { return ByteString(CommandLine.arguments[index + 1]) }
        }
        return ByteString(CommandLine.arguments.first ?? "/")
    }

    private func mount() throws {
        let pipe = try ProcessPipe()
        var server = Spawn(
            try MountedSandbox.program("lamina-mountd"),
            [
                "--root", store.path, "--chain", ByteString(FixtureStore.chain), "--sandbox", sandbox,
                "--mountpoint", mountpoint, "--ready-fd", "3",
            ] + (isReadOnly ? ["--read-only"] : []) + options)
        server.newSession = true
        server.descriptors = [(number: 3, source: pipe.writeEnd.rawValue), (number: 2, source: 2)]
        _ = try server.start()
        let answer = String(decoding: try pipe.takeReadEnd().readLine(), as: UTF8.self)
        guard answer == "ready" else { throw MountError("lamina-mountd: \(answer)") }
    }

    /// Mounts again after `unmount`.
    public func mountAgain() throws { try mount() }

    /// The server's process.
    public func server() throws -> pid_t {
        let text = try Descriptor.open(sandbox.appending("lock"), O_RDONLY).readAll(limit: 64)
        guard let pid = pid_t(String(decoding: text, as: UTF8.self).prefix { $0.isNumber }), pid > 1 else {
            throw MountError("no server's number in \(sandbox)/lock")
        }
        return pid
    }

    /// Kills the server as a crash would, takes the dead mount away and waits for the lock to be free.
    public func crash() throws {
        Glibc.kill(try server(), SIGKILL)
        try clearDeadMount()
    }

    /// Takes the mount of a dead server away.
    public func clearDeadMount() throws {
        try MountTable.unmount(mountpoint, lazy: true)
        let lock = try Descriptor.open(sandbox.appending("lock"), O_RDWR)
        try lock.lock(exclusive: true)
    }

    /// Unmounts, waits for the server's end and mounts again.
    public func remount() throws {
        if try MountTable.entries().contains(where: { $0.mountpoint == mountpoint }) { try unmount() }
        try mount()
    }

    /// Ends the server as a crash does, and mounts again.
    public func killServer() throws {
        let lock = try Descriptor.open(sandbox.appending("lock"), O_RDWR)
        let text = String(decoding: try lock.readBytes(at: 0, count: 32), as: UTF8.self)
        guard let process = pid_t(text.prefix { $0.isNumber }), process > 1 else {
            throw MountError("no server in \(sandbox)/lock")
        }
        kill(process, SIGKILL)
        try lock.lock(exclusive: true)
        try lock.unlock()
        try MountTable.unmount(mountpoint, lazy: true)
        try mount()
    }

    /// Unmounts and waits for the server's end.
    public func unmount() throws {
        try MountTable.unmountWhenIdle(mountpoint)
        let lock = try Descriptor.open(sandbox.appending("lock"), O_RDWR)
        try lock.lock(exclusive: true)
    }
}

extension MountTable {
    /// Unmounts; waits while the mount is busy, since a program that another test starts holds copies of
    /// all descriptors until it runs, which takes its time on a loaded machine.
    public static func unmountWhenIdle(_ mountpoint: ByteString) throws {
        var attempts = 3000
        while attempts > 0, (try? unmount(mountpoint, lazy: false)) == nil {
            attempts -= 1
            usleep(10_000)
        }
        guard attempts > 0 else { throw Errno.resourceBusy }
    }
}

/// Why a test mount did not come about.
public struct MountError: Error, CustomStringConvertible {
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}

extension Descriptor {
    /// Bytes up to a newline, waiting for them, at most 4 KiB.
    borrowing func readLine() throws -> [UInt8] {
        var line: [UInt8] = []
        var byte: [UInt8] = [0]
        while line.count < 4_096 {
            var space = byte.mutableSpan
            let count = try unsafe space.withUnsafeMutableBytes { (buffer) throws(Errno) in
                try unsafe read(into: buffer)
            }
            if count == 0 || byte[0] == UInt8(ascii: "\n") { break }
            line.append(byte[0])
        }
        return line
    }
}
