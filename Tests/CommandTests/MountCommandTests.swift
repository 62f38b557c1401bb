import Dispatch
import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Synchronization
import Testing

/// Whether this machine can mount; says so where it cannot.
private let canMount: Bool = {
    let can = geteuid() == 0 && (try? Descriptor.open("/dev/fuse", O_RDWR)) != nil
    if !can { print("SKIPPED MountCommandTests: need root and /dev/fuse") }
    return can
}()

@Suite(.enabled(if: canMount)) struct MountCommandTests {
    /// A store with the sample image and the sandbox `box`.
    private func program() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("create", "sample", "--name", "box")
        return lamina
    }

    private func text(_ path: ByteString) throws -> String {
        String(decoding: try Descriptor.open(path, O_RDONLY).readAll(limit: 4096), as: UTF8.self)
    }

    @Test func whatWasWrittenStays() throws {
        let lamina = try program()
        let mountpoint = ByteString(try #require(try lamina.lines("mount", "box").first))
        #expect(mountpoint.hasPrefix(lamina.root.appending("sandboxes")))
        #expect(try text(mountpoint.appending("etc/release")) == "two\n")
        #expect((try? FileStatus.of(mountpoint.appending("etc/gone"))) == nil)
        try Descriptor.open(mountpoint.appending("etc/new"), O_WRONLY | O_CREAT, permissions: 0o644)
            .writeAll(Array("new\n".utf8))
        #expect(try lamina.lines("ps", "--format", "json").count == 1)
        try lamina.unmount("box")
        #expect((try? FileStatus.of(mountpoint.appending("etc/new"))) == nil)
        #expect(try lamina.lines("ps", "--format", "json").isEmpty)
        let place = lamina.path("elsewhere")
        try Descriptor.workingDirectory().makeDirectory(place, permissions: 0o755)
        #expect(try lamina.lines("mount", "--read-only", "box", "\(place)") == ["\(place)"])
        #expect(try text(place.appending("etc/new")) == "new\n")
        #expect(throws: Errno.readOnlyFileSystem) {
            _ = try Descriptor.open(place.appending("x"), O_WRONLY | O_CREAT, permissions: 0o644)
        }
        #expect(try lamina.lines("ps").contains { $0.contains("Mounted (read-only)") })
        try lamina.unmount("box")
    }

    @Test func refusesBusyAndWrongPlaces() throws {
        let lamina = try program()
        try lamina.lines("create", "sample", "--name", "other")
        let place = lamina.path("place")
        try Descriptor.workingDirectory().makeDirectory(place, permissions: 0o755)
        try lamina.lines("mount", "box", "\(place)")
        let before = try lamina.storeFiles()
        lamina.expectFailure(
            try lamina.run("mount", "other", "\(place)"), code: 4, "\(place): is already a mount point")
        lamina.expectFailure(try lamina.run("mount", "box"), code: 4, "box: is already mounted at \(place)")
        let file = try lamina.file([1], named: "file")
        lamina.expectFailure(try lamina.run("mount", "other", file), code: 2, "\(file): is not a directory")
        lamina.expectFailure(try lamina.run("mount", "other", "/nothing/here"), code: 3, "/nothing/here")
        lamina.expectFailure(
            try lamina.run("mount", "other", "\(lamina.root)"), code: 2, "would hide it")
        lamina.expectFailure(try lamina.run("rm", "box"), code: 4, "box: is mounted")
        lamina.expectFailure(try lamina.run("rmi", "-f", "sample"), code: 4, "mounted sandbox box")
        #expect(try lamina.storeFiles() == before)
        try lamina.unmount("box")
    }

    @Test func umountWhileInUse() throws {
        let lamina = try program()
        let mountpoint = ByteString(try #require(try lamina.lines("mount", "box").first))
        let open = try Descriptor.open(mountpoint.appending("big"), O_RDONLY)
        lamina.expectFailure(try lamina.run("umount", "box"), code: 4, "in use", "--lazy")
        #expect(try lamina.lines("umount", "--lazy", "box").isEmpty)
        #expect(try open.readBytes(at: 0, count: 10).count == 10)
        #expect(try lamina.lines("ps", "--format", "json").contains { $0.contains("detached") })
        lamina.expectFailure(try lamina.run("mount", "box"), code: 4, "still in use")
        #expect(try lamina.lines("rm", "--force", "box") == ["box"])
        #expect(try lamina.lines("ps", "-aq").isEmpty)
    }

    @Test func cleansUpBehindADeadServer() throws {
        let lamina = try program()
        let mountpoint = ByteString(try #require(try lamina.lines("mount", "box").first))
        let directory = ByteString(mountpoint.bytes.dropLast(7))
        let process = try #require(pid_t(try text(directory.appending("lock")).prefix { $0.isNumber }))
        kill(process, SIGKILL)
        while kill(process, 0) == 0 { usleep(1000) }
        #expect(try lamina.lines("ps").contains { $0.contains("Dead") })
        lamina.expectFailure(try lamina.run("mount", "box"), code: 4, "its server has died")
        try lamina.unmount("box")
        try lamina.lines("mount", "box")
        #expect(try text(mountpoint.appending("etc/release")) == "two\n")
        #expect(try lamina.lines("rm", "-f", "box") == ["box"])
        #expect(try lamina.storeFiles().allSatisfy { !$0.hasPrefix("sandboxes/") })
    }

    /// One of several mounts at once wins; the others leave its record alone.
    @Test func mountsAtOnceComeOneAfterTheOther() throws {
        let lamina = try program()
        let places = try (0..<4).map { number in
            let place = lamina.path("place\(number)")
            try Descriptor.workingDirectory().makeDirectory(place, permissions: 0o755)
            return "\(place)"
        }
        let root = "\(lamina.root)"
        let runs = Mutex<[CommandRun]>([])
        DispatchQueue.concurrentPerform(iterations: places.count) { number in
            let run = try? CommandRun.run(
                "lamina", ["mount", "--root", root, "box", places[number]])
            if let run { runs.withLock { $0.append(run) } }
        }
        let codes = runs.withLock { $0.map(\.exitCode).sorted() }
        #expect(codes == [0, 4, 4, 4])
        let won = try #require(runs.withLock { $0 }.first { $0.exitCode == 0 }?.lines.first)
        #expect(try lamina.lines("ps").contains { $0.contains(won) })
        try lamina.unmount("box")
    }

    @Test func relaysTheServersError() throws {
        let lamina = try program()
        func mount(with script: String) throws -> CommandRun {
            let path = try lamina.file(Array("#!/bin/sh\n\(script)\n".utf8), named: "server")
            try Descriptor.workingDirectory().setPermissions(of: ByteString(path), 0o755)
            return try lamina.run("mount", "box", environment: ["LAMINA_MOUNTD": path])
        }
        lamina.expectFailure(
            try mount(with: "echo 'error: no fuse today' >&3; exit 1"), code: 1, "box", "no fuse today")
        lamina.expectFailure(try mount(with: "echo 'last words' >&2; exit 1"), code: 1, "last words")
        lamina.expectFailure(
            try lamina.run("mount", "box", environment: ["LAMINA_MOUNTD": "/nothing"]), code: 3, "/nothing")
        #expect(try lamina.lines("ps", "-a", "--format", "json").allSatisfy { $0.contains("\"idle\"") })
    }
}
