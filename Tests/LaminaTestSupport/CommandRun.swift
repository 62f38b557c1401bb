// CommandRun runs a built program of this package and keeps what it said.

import Glibc
import LaminaCore
import LaminaSystem

/// A finished run.
public struct CommandRun: Sendable, CustomStringConvertible {
    public var exitCode: Int32
    public var output: String
    public var errors: String

    /// The lines of stdout.
    public var lines: [String] { output.split(separator: "\n").map(String.init) }
    /// The lines of stderr.
    public var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    public var description: String { "exit \(exitCode)\nstdout: \(output)\nstderr: \(errors)" }

    /// Runs `program`, an absolute path or from beside the test bundle; `environment` adds to this process's own.
    public static func run(
        _ program: ByteString, _ arguments: [String], environment: [String: String] = [:],
        input: ByteString = "/dev/null"
    ) throws -> CommandRun {
        let directory = try TemporaryDirectory()
        let standardInput = try Descriptor.open(input, O_RDONLY)
        let output = try directory.descriptor.open("output", O_RDWR | O_CREAT, permissions: 0o600)
        let errors = try directory.descriptor.open("errors", O_RDWR | O_CREAT, permissions: 0o600)
        let settings = environment.map { ByteString("\($0.key)=\($0.value)") }
        var command = Spawn(
            "/usr/bin/env",
            settings + [program.hasPrefix("/") ? program : try MountedSandbox.program(program)]
                + arguments.map { ByteString($0) })
        // Numbers above those that the child gets, so that no line overwrites a later one's source.
        let own = [
            try standardInput.duplicate(from: 10).release(), try output.duplicate(from: 10).release(),
            try errors.duplicate(from: 10).release(),
        ]
        defer { for number in own { close(number) } }
        command.descriptors = [(0, own[0]), (1, own[1]), (2, own[2])]
        let code = try command.run()
        return CommandRun(
            exitCode: code, output: try text(of: output), errors: try text(of: errors))
    }

    /// A variable of this process's environment.
    public static func environment(_ name: String) -> String? {
        // SAFETY: a terminated string, copied at once; tests change no variable.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    private static func text(of file: borrowing Descriptor) throws -> String {
        String(decoding: try file.readAll(limit: 1 << 24), as: UTF8.self)
    }
}

/// The files below a directory with their sizes, to see that nothing came and nothing went. The
/// catalogue's own files, the leases and the reserve are left out: they change with nothing.
public func fileList(below path: ByteString) throws -> [String] {
    guard let root = try? Descriptor.open(path, O_RDONLY | O_DIRECTORY) else { return [] }
    var result: [String] = []
    try collect(root, prefix: "", into: &result)
    let own = ["lamina.db", "leases/", "reserve "]
    return result.filter { name in !own.contains { name.hasPrefix($0) } }.sorted()
}

private func collect(
    _ directory: borrowing Descriptor, prefix: ByteString, into result: inout [String]
) throws {
    for entry in try directory.entries() {
        let path = prefix.appending(entry.name)
        if entry.type == .directory {
            try collect(directory.openDirectory(entry.name), prefix: path, into: &result)
        } else {
            result.append("\(path) \(try directory.status(of: entry.name).size)")
        }
    }
}
