// MountServer starts lamina-mountd for one sandbox, and tells whether one is alive. The
// truth about that is the lock on the sandbox's `lock` file, which the server holds for its
// whole life; no recorded process id is trusted without it.

import Foundation
import Glibc
import LaminaCore
import LaminaSystem

enum MountServer {
    static let name: ByteString = "lamina-mountd"
    /// How long a server may take until it serves.
    static let startMilliseconds: Int32 = 30_000

    /// Whether a server holds the sandbox's lock.
    static func isAlive(in directory: ByteString) -> Bool {
        let path = directory.appending("lock")
        guard let file = try? Descriptor.open(path, O_RDONLY) else { return false }
        return (try? file.lock(exclusive: false, wait: false)) == nil
    }

    /// The process id that the living server wrote into its lock file.
    static func processID(in directory: ByteString) -> pid_t? {
        guard isAlive(in: directory), let file = try? Descriptor.open(directory.appending("lock"), O_RDONLY),
            let text = try? file.readBytes(at: 0, count: 32)
        else { return nil }
        let digits = text.prefix { (0x30...0x39).contains($0) }
        return pid_t(String(decoding: digits, as: UTF8.self)).flatMap { $0 > 1 ? $0 : nil }
    }

    /// Waits until no server is alive; false when `milliseconds` went by first.
    static func waitForEnd(in directory: ByteString, milliseconds: Int) -> Bool {
        for _ in 0...(milliseconds / 10) {
            if !isAlive(in: directory) { return true }
            usleep(10_000)
        }
        return false
    }

    /// The program: `LAMINA_MOUNTD`, else beside this executable, else in `PATH`.
    static func program() throws(LaminaError) -> ByteString {
        if let path = ProcessInfo.processInfo.environment["LAMINA_MOUNTD"], !path.isEmpty {
            return ByteString(path)
        }
        if let own = try? Descriptor.workingDirectory().readLink("/proc/self/exe"),
            let slash = own.bytes.lastIndex(of: UInt8(ascii: "/"))
        {
            let path = ByteString(own.bytes[..<slash]).appending(name)
            if let status = try? FileStatus.of(path, follow: true), status.type == .regular { return path }
        }
        if let path = Spawn.locate(name) { return path }
        throw LaminaError(
            .notFound, name.description, "is neither beside this program nor in PATH; set LAMINA_MOUNTD")
    }

    /// Starts the program, its output going to `mountd.log` in the sandbox's directory; its process id
    /// and where its one line of answer comes from.
    private static func launch(
        _ arguments: [ByteString], sandbox directory: ByteString, newSession: Bool
    ) throws(LaminaError) -> (process: pid_t, answer: SharedDescriptor) {
        let program = try program()
        do throws(Errno) {
            let pipe = try ProcessPipe()
            let null = try Descriptor.open("/dev/null", O_RDONLY)
            let log = try Descriptor.open(
                directory.appending("mountd.log"), O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o600)
            var command = Spawn(program, arguments + ["--ready-fd", "3"])
            command.newSession = newSession
            // The pipe first: its number may be one that a later line overwrites.
            let notify = try pipe.writeEnd.duplicate(from: 10)
            command.descriptors = [
                (0, null.rawValue), (1, log.rawValue), (2, log.rawValue), (3, notify.rawValue),
            ]
            return (try command.start(), SharedDescriptor(pipe.takeReadEnd()))
        } catch {
            throw LaminaError(program, error)
        }
    }

    /// Starts a server with `arguments` and returns when it serves.
    static func start(_ arguments: [ByteString], sandbox directory: ByteString) throws(LaminaError) {
        let (process, ready) = try launch(arguments, sandbox: directory, newSession: true)
        let answer = try Self.answer(from: ready.descriptor, process: process)
        if answer == "ready" {
            // Takes the exit status when the server ends, so that it leaves no zombie.
            Thread.detachNewThread { _ = try? Spawn.wait(for: process) }
            return
        }
        _ = try? Spawn.wait(for: process)
        let reason = answer.hasPrefix("error: ") ? String(answer.dropFirst(7)) : lastLine(of: directory)
        throw LaminaError(.failure, name.description, reason)
    }

    /// Runs the program to its end and returns its answer.
    static func run(
        _ arguments: [ByteString], sandbox directory: ByteString
    ) throws(LaminaError) -> String {
        let (process, ready) = try launch(arguments, sandbox: directory, newSession: false)
        // A line is far below what a pipe holds, so that the program never waits for us.
        _ = try? Spawn.wait(for: process)
        let answer = try Self.answer(from: ready.descriptor, process: process)
        guard !answer.isEmpty, !answer.hasPrefix("error: ") else {
            let reason = answer.isEmpty ? lastLine(of: directory) : String(answer.dropFirst(7))
            throw LaminaError(.failure, name.description, reason)
        }
        return answer
    }

    /// The server's one line; empty when it ended without one. Kills a server that is silent
    /// for too long.
    private static func answer(
        from ready: borrowing Descriptor, process: pid_t
    ) throws(LaminaError) -> String {
        var line: [UInt8] = []
        do throws(Errno) {
            while line.count < 4096 {
                guard try ready.waitReadable(milliseconds: startMilliseconds) else {
                    kill(process, SIGKILL)
                    _ = try? Spawn.wait(for: process)
                    throw Errno.timedOut
                }
                var buffer = [UInt8](repeating: 0, count: 512)
                var space = buffer.mutableSpan
                // SAFETY: the kernel writes within the local array.
                let count = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
                    try unsafe ready.read(into: bytes)
                }
                if count == 0 { break }
                line += buffer[..<count]
                if buffer[..<count].contains(UInt8(ascii: "\n")) { break }
            }
        } catch Errno.timedOut {
            throw LaminaError(.failure, name.description, "did not serve within 30 seconds; killed")
        } catch {
            throw LaminaError(name, error)
        }
        // Spaces before the answer say that the server is at work: it fills a volume.
        let answer = line.drop { $0 == UInt8(ascii: " ") }
        return ByteString(answer.prefix { $0 != UInt8(ascii: "\n") }).description
    }

    private static func lastLine(of directory: ByteString) -> String {
        let path = directory.appending("mountd.log")
        guard let log = try? Descriptor.open(path, O_RDONLY), let size = try? log.status().size,
            let text = try? log.readBytes(at: max(0, size - 2048), count: 2048),
            let line = text.split(separator: UInt8(ascii: "\n")).last
        else { return "ended without an answer" }
        return "ended without an answer: \(ByteString(line))"
    }
}
