import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// The built `lamina` with a store of its own.
final class LaminaProgram {
    let directory: TemporaryDirectory
    var root: ByteString { directory.path.appending("store") }

    init(inMemory: Bool = false) throws {
        directory = try TemporaryDirectory(inMemory: inMemory)
    }

    deinit {
        // A test that failed may have left mounts behind.
        for mount in (try? MountTable.entries()) ?? [] where mount.mountpoint.hasPrefix(directory.path) {
            try? MountTable.unmount(mount.mountpoint, lazy: true)
        }
    }

    /// Runs a verb.
    @discardableResult
    func run(
        _ arguments: String..., input: ByteString = "/dev/null", environment: [String: String] = [:]
    ) throws -> CommandRun {
        try run(arguments, input: input, environment: environment)
    }

    /// The same with a list.
    func run(
        _ arguments: [String], input: ByteString = "/dev/null", environment: [String: String] = [:]
    ) throws -> CommandRun {
        var environment = environment
        environment["LAMINA_ROOT"] = "\(root)"
        return try CommandRun.run("lamina", arguments, environment: environment, input: input)
    }

    /// Runs a verb that must succeed without a word on stderr; returns the lines of stdout.
    @discardableResult
    func lines(
        _ arguments: String..., input: ByteString = "/dev/null",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String] {
        try lines(arguments, input: input, sourceLocation: sourceLocation)
    }

    /// The same with a list.
    @discardableResult
    func lines(
        _ arguments: [String], input: ByteString = "/dev/null",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String] {
        let run = try run(arguments, input: input)
        #expect(run.exitCode == 0, "\(run)", sourceLocation: sourceLocation)
        return run.lines
    }

    /// Starts a verb that nobody listens to, but for what it writes to `errors`; a signal to the process meets the
    /// program itself.
    func start(_ arguments: [String], errors: ByteString = "/dev/null") throws -> pid_t {
        let null = try Descriptor.open("/dev/null", O_RDWR)
        let own = try null.duplicate(from: 10).release()
        defer { close(own) }
        let log = try Descriptor.open(errors, O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o600)
        let words = try log.duplicate(from: 10).release()
        defer { close(words) }
        var command = Spawn(
            "/usr/bin/env",
            [ByteString("LAMINA_ROOT=\(root)"), try MountedSandbox.program("lamina")]
                + arguments.map { ByteString($0) })
        command.descriptors = [(0, own), (1, own), (2, words)]
        return try command.start()
    }

    /// A path in the test's directory.
    func path(_ name: String) -> ByteString { directory.path.appending(ByteString(name)) }

    /// Writes an archive as a directory; returns its path.
    func layout(_ archive: TestArchive, named name: String = "image") throws -> String {
        try archive.write(to: path(name))
        return "\(path(name))"
    }

    /// Writes a file; returns its path.
    func file(_ bytes: [UInt8], named name: String) throws -> String {
        let file = try Descriptor.open(path(name), O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o644)
        try file.writeAll(bytes)
        return "\(path(name))"
    }

    /// Loads the sample image as `sample:latest`.
    func loadSample() throws {
        let loaded = try lines("load", "-q", "-i", layout(TestImage.sample().layout, named: "sample"))
        #expect(loaded == ["Loaded image: sample:latest"])
    }

    /// Unmounts. A program that another test starts holds a copy of every descriptor until it runs,
    /// so that a mount may be busy for as long as a loaded machine takes.
    func unmount(_ name: String) throws {
        for _ in 0..<1500 {
            let run = try run("umount", name)
            if run.exitCode == 0 { return #expect(run.output.isEmpty && run.errors.isEmpty) }
            #expect(run.exitCode == 4, "\(run)")
            usleep(20_000)
        }
        Issue.record("stays busy")
    }

    /// What `du` says the store takes.
    func diskUsage() throws -> String {
        try CommandRun.run("/usr/bin/du", ["-s", "--block-size=1", "\(root)"]).output
    }

    func storeFiles() throws -> [String] { try fileList(below: root) }

    /// A failed run: the exit code, one line that holds all `words`, nothing on stdout.
    func expectFailure(
        _ run: CommandRun, code: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(run.exitCode == code, "\(run)", sourceLocation: sourceLocation)
        #expect(run.output.isEmpty, "\(run)", sourceLocation: sourceLocation)
        #expect(run.errorLines.count == 1, "\(run)", sourceLocation: sourceLocation)
        let line = run.errorLines.first ?? ""
        #expect(line.hasPrefix("lamina: "), "\(run)", sourceLocation: sourceLocation)
        for word in words { #expect(line.contains(word), "\(run)", sourceLocation: sourceLocation) }
    }
}
