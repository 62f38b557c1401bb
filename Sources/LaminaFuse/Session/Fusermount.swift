// Fusermount owns the way to a mount for a user who may not mount: the setuid program
// fusermount3 mounts, and hands over the connection to the kernel (libfuse, `util/fusermount.c`).

import Glibc
import LaminaCore
import LaminaSystem

enum Fusermount {
    private static let name: ByteString = "fusermount3"

    /// What a run of the program gave: the connection, or the reason why there is none.
    private struct Outcome: ~Copyable {
        var connection: Descriptor?
        var reason: ByteString
    }

    /// Mounts and returns the connection.
    static func mount(at mountpoint: ByteString, _ options: String) throws(FuseError) -> Descriptor {
        guard let program = Spawn.locate(name) else { throw .fusermountMissing }
        let outcome: Outcome
        do throws(Errno) {
            outcome = try run(program, ["-o", ByteString(options), "--", mountpoint])
        } catch {
            throw .mount(program, error)
        }
        let reason = outcome.reason
        guard let connection = outcome.connection else { throw .fusermount(mountpoint, reason) }
        return connection
    }

    /// Takes a mount away, lazily as libfuse does at the end of a session.
    static func unmount(_ mountpoint: ByteString) {
        guard let program = Spawn.locate(name), let null = try? Descriptor.open("/dev/null", O_RDWR)
        else { return }
        var command = Spawn(program, ["-u", "-q", "-z", "--", mountpoint])
        command.descriptors = [(0, null.rawValue), (1, null.rawValue), (2, null.rawValue)]
        _ = try? command.run()
    }

    private static func run(_ program: ByteString, _ arguments: [ByteString]) throws(Errno) -> Outcome {
        let sockets = try SocketPair()
        let messages = try ProcessPipe()
        let process = try start(program, arguments, connection: sockets.far, errors: messages.writeEnd)
        let socket = sockets.takeNear()
        let output = messages.takeReadEnd()
        let connection = try? socket.receiveDescriptor()
        // It says only why it failed, and its end is the end of what it says.
        let reason = lastLine(of: output)
        _ = try Spawn.wait(for: process)
        return Outcome(connection: connection, reason: reason)
    }

    private static func start(
        _ program: ByteString, _ arguments: [ByteString], connection: borrowing Descriptor,
        errors: borrowing Descriptor
    ) throws(Errno) -> pid_t {
        // Above the numbers that the program gets, so that no line overwrites a later one's source.
        let socket = try connection.duplicate(from: 10)
        let errors = try errors.duplicate(from: 10)
        var command = Spawn(program, arguments)
        command.environment = ["_FUSE_COMMFD=3"]
        command.descriptors = [(2, errors.rawValue), (3, socket.rawValue)]
        return try command.start()
    }

    private static func lastLine(of output: borrowing Descriptor) -> ByteString {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1024)
        while text.count < 16_384 {
            var space = buffer.mutableSpan
            // SAFETY: the kernel writes within the local array.
            let count = try? unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
                try unsafe output.read(into: bytes)
            }
            guard let count, count > 0 else { break }
            text += buffer[..<count]
        }
        return ByteString(text.split(separator: UInt8(ascii: "\n")).last ?? [])
    }
}
