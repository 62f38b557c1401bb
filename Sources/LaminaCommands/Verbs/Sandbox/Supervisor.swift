// Supervisor owns the process that waits for a container whose `lamina run -d` has returned: this program again, in a
// session of its own, with a hidden verb. It says on descriptor 3 whether the container has started.

import ArgumentParser
import Foundation
import Glibc
import LaminaCore
import LaminaEngine
import LaminaSystem
import Synchronization

enum Supervisor {
    static let ready: Int32 = 3
    /// Bytes of the settings and of the answer.
    static let limit = 1 << 20

    /// Starts one and returns when the container runs, or throws why it does not.
    static func start(
        _ sandbox: Sandbox, _ engine: Engine, _ runtime: ContainerRuntime?, _ options: RunOptions
    ) throws {
        let settings = Array(try JSONEncoder().encode(Settings(runtime: runtime, options: options)))
        let answer = try launch(sandbox, engine, settings)
        guard answer.first != "started" else { return }
        let words = answer.first ?? "lamina run -d: ended without an answer"
        let code = answer.last.flatMap { Int32($0) }.flatMap { LaminaError.Code(rawValue: $0) } ?? .failure
        Terminal.error(words)
        throw ExitCode(code.ofRun)
    }

    struct Settings: Codable {
        var runtime: ContainerRuntime?
        var options: RunOptions
    }

    /// `started`, or an error with what the runtime said last, and its code.
    private static func lines(
        _ end: borrowing Descriptor, _ log: borrowing Descriptor
    ) throws(Errno) -> [String] {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while answer.count < limit {
            var space = buffer.mutableSpan
            // SAFETY: the kernel writes within the local array.
            let count = try unsafe space.withUnsafeMutableBytes { (bytes) throws(Errno) in
                try unsafe end.read(into: bytes)
            }
            if count == 0 { break }
            answer += buffer[..<count]
        }
        var lines = String(decoding: answer, as: UTF8.self).split(separator: "\n").map(String.init)
        let said = try log.readBytes(at: max(0, log.status().size - 4_096), count: 4_096)
        if lines.count > 1, let last = String(decoding: said, as: UTF8.self).split(separator: "\n").last {
            lines[0] += ": \(last)"
        }
        return lines
    }

    /// The lines of the answer: `started`, or an error and its code.
    private static func launch(
        _ sandbox: Sandbox, _ engine: Engine, _ settings: [UInt8]
    ) throws(LaminaError) -> [String] {
        do throws(Errno) {
            let pipe = try ProcessPipe()
            let directory = try Descriptor.open(sandbox.directory, OpenFlag.path | O_DIRECTORY)
            let log = try directory.open("container.log", O_RDWR | O_CREAT | O_APPEND, permissions: 0o600)
            let input = try directory.open(".", OpenFlag.temporary | O_RDWR, permissions: 0o600)
            try input.writeAll(settings)
            _ = try input.seek(to: 0)
            var command = Spawn(
                "/proc/self/exe", ["supervise", "--root", engine.root, ByteString(sandbox.id)])
            command.newSession = true
            let own = [
                try input.duplicate(from: 10).release(), try log.duplicate(from: 10).release(),
                try pipe.writeEnd.duplicate(from: 10).release(),
            ]
            command.descriptors = [(0, own[0]), (1, own[1]), (2, own[1]), (ready, own[2])]
            let process = Result { () throws(Errno) in try command.start() }
            // The end of the answer is seen only when nobody else could write one.
            for number in own { close(number) }
            _ = try process.get()
            return try lines(pipe.takeReadEnd(), log)
        } catch {
            throw LaminaError(.failure, "lamina run -d", "\(error)", cause: error)
        }
    }
}

/// `lamina supervise`, which `lamina run -d` starts.
struct SuperviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervise", abstract: "Wait for a container that runs in the background.",
        shouldDisplay: false)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The sandbox.")
    var sandbox: String

    func run() throws {
        let bytes = try Descriptor.duplicate(of: 0).readAll(limit: Supervisor.limit)
        let settings = try JSONDecoder().decode(Supervisor.Settings.self, from: Data(bytes))
        // The container's processes must not have it.
        let ready = Mutex<SharedDescriptor?>(SharedDescriptor(try Descriptor.duplicate(of: Supervisor.ready)))
        close(Supervisor.ready)
        @Sendable func answer(_ text: String) {
            ready.withLock { ready in
                try? ready?.descriptor.writeAll(Array(text.utf8))
                ready = nil
            }
        }
        do throws(LaminaError) {
            _ = try global.engine().run(sandbox, runtime: settings.runtime, settings.options) {
                answer("started\n")
            }
        } catch {
            answer("\(error.message)\n\(error.code.rawValue)\n")
        }
    }
}
