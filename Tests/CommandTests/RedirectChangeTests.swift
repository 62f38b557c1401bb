import Foundation
import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// `lamina redirect`: what changes in a sandbox, mounted or not, and what a busy one says.
@Suite(.enabled(if: MountedSandbox.isPossible)) struct RedirectChangeTests {
    private struct Box {
        let lamina: LaminaProgram
        let place: ByteString

        init(mounted: Bool = true, _ create: String...) throws {
            lamina = try LaminaProgram()
            try lamina.loadSample()
            let run = try CommandRun.run(
                "lamina", ["create", "sample", "--name", "box"] + create,
                environment: ["LAMINA_ROOT": "\(lamina.root)"])
            #expect(run.exitCode == 0, "\(run)")
            place = mounted ? ByteString(try #require(try lamina.lines("mount", "box").first)) : ""
            try lamina.directory.descriptor.makeDirectory("host", permissions: 0o755)
            _ = try lamina.file(Array("text".utf8), named: "host/file")
        }

        var host: String { "\(lamina.path("host"))" }

        func read(_ path: ByteString) throws -> String {
            String(
                decoding: try Descriptor.open(place.appending(path), O_RDONLY).readAll(limit: 4096),
                as: UTF8.self
            )
        }

        func list(_ path: ByteString) throws -> [ByteString] {
            try Descriptor.open(place.appending(path), O_RDONLY | O_DIRECTORY).entries().map(\.name).sorted()
        }
    }

    @Test func aMountedSandboxSeesThemAtOnce() throws {
        let box = try Box()
        let lamina = box.lamina
        // What the kernel remembers for an hour is what changes.
        #expect(try box.list("etc") == ["release"] && box.list("") == ["big", "etc", "link"])
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try box.read("new/place/file") }
        try lamina.lines(
            "redirect", "add", "box", "-v", "\(box.host):/new/place:ro", "-v",
            "\(box.host)/file:/etc/release",
            "-v", "data:/etc/sub")
        #expect(try box.read("new/place/file") == "text" && box.read("etc/release") == "text")
        #expect(try box.list("") == ["big", "etc", "link", "new"] && box.list("etc") == ["release", "sub"])
        try Descriptor.open(box.place.appending("etc/sub/x"), O_WRONLY | O_CREAT, permissions: 0o600)
            .writeAll([1])
        #expect(try lamina.lines("redirect", "ls", "box").count == 4)
        #expect(
            try lamina.lines("redirect", "ls", "box").dropFirst().map {
                $0.split(separator: " ").map(String.init)
            }
                == [
                    ["bind", "/new/place", "ro", box.host],
                    ["bind", "/etc/release", "rw", "\(box.host)/file"],
                    ["volume", "/etc/sub", "rw", "data"],
                ])
        lamina.expectFailure(try lamina.run("volume", "rm", "data"), code: 4, "box")
        try lamina.lines("redirect", "rm", "box", "/etc/release", "/new/place/", "/etc/sub")
        #expect(
            try box.read("etc/release") != "text" && box.list("new/place") == [] && box.list("etc/sub") == [])
        #expect(try lamina.lines("redirect", "ls", "box").count == 1)
        try Descriptor.workingDirectory().removeDirectory(box.place.appending("new/place"))
        try lamina.lines("volume", "rm", "data")
        try lamina.unmount("box")
    }

    @Test func aRedirectOutlivesTheMount() throws {
        let box = try Box()
        try box.lamina.lines("redirect", "add", "box", "-v", "\(box.host):/d")
        try box.lamina.unmount("box")
        try box.lamina.lines("redirect", "add", "box", "--mount", "type=tmpfs,dst=/t,tmpfs-size=1m")
        try box.lamina.lines("mount", "box")
        #expect(try box.read("d/file") == "text" && box.list("t") == [])
        try box.lamina.unmount("box")
        try box.lamina.lines("redirect", "rm", "box", "/d", "/t")
        try box.lamina.lines("mount", "box")
        #expect(try box.list("d") == [])
        try box.lamina.unmount("box")
    }

    @Test func busyOnesSaySo() throws {
        let box = try Box("-v", "data:/d")
        let lamina = box.lamina
        let file = try Descriptor.open(box.place.appending("d/open"), O_RDWR | O_CREAT, permissions: 0o600)
        lamina.expectFailure(
            try lamina.run("redirect", "rm", "box", "/d"), code: 4, "/d: files of it are open", "--lazy")
        #expect(try box.list("d") == ["open"])
        try lamina.lines("redirect", "rm", "--lazy", "box", "/d")
        #expect(try box.list("d") == [])
        try file.writeAll(Array("still".utf8))
        #expect(try file.readBytes(at: 0, count: 9) == Array("still".utf8))
        let kept = ByteString("\(lamina.root)/volumes/data/_data/open")
        #expect(try Descriptor.open(kept, O_RDONLY).readAll(limit: 9) == Array("still".utf8))
        _ = consume file
        try lamina.unmount("box")
    }

    @Test func directoriesInUseAndOthersInThem() throws {
        let box = try Box("-v", "data:/d", "-v", "more:/d/sub")
        let lamina = box.lamina
        lamina.expectFailure(
            try lamina.run("redirect", "rm", "box", "/d"), code: 4, "/d: the redirect at /d/sub lies in it")
        lamina.expectFailure(
            try lamina.run("redirect", "rm", "--lazy", "box", "/d"), code: 4,
            "the redirect at /d/sub lies in it")
        try lamina.lines("redirect", "rm", "box", "/d/sub")
        let directory = try Descriptor.open(box.place.appending("d/sub"), O_RDONLY | O_DIRECTORY)
        lamina.expectFailure(
            try lamina.run("redirect", "rm", "box", "/d"), code: 4, "files or directories of it are in use")
        #expect(try box.list("d") == ["sub"])
        try directory.makeDirectory("still", permissions: 0o700)
        _ = consume directory
        try lamina.lines("redirect", "rm", "box", "/d")
        #expect(try box.list("d") == [])
        try lamina.unmount("box")
    }

    @Test func whatIsRefused() throws {
        let box = try Box("-v", "data:/d")
        let lamina = box.lamina
        lamina.expectFailure(
            try lamina.run("redirect", "add", "box", "-v", "other:/d"), code: 64, "Duplicate mount point: /d")
        lamina.expectFailure(
            try lamina.run("redirect", "add", "box", "-v", "\(lamina.directory.path)/none:/big"), code: 1,
            "redirect at /big: a directory cannot stand in the place of a file")
        #expect(try lamina.lines("redirect", "ls", "box").count == 2)
        lamina.expectFailure(
            try lamina.run("redirect", "rm", "box", "/none"), code: 3, "has no redirect at /none")
        lamina.expectFailure(
            try lamina.run("redirect", "add", "box", "-v", "\(lamina.root):/s"), code: 2, "--allow-special")
        #expect(try lamina.run("redirect", "add", "box").exitCode == 64)
        // A server that died takes nothing.
        let directory = box.place.components.dropLast().reduce("/" as ByteString) { $0.appending($1) }
        let text = try Descriptor.open(directory.appending("lock"), O_RDONLY).readAll(limit: 64)
        let server = try #require(pid_t(String(decoding: text, as: UTF8.self).prefix { $0.isNumber }))
        kill(server, SIGKILL)
        try Descriptor.open(directory.appending("lock"), O_RDWR).lock(exclusive: true)
        lamina.expectFailure(
            try lamina.run("redirect", "rm", "box", "/d"), code: 4, "its server has died")
        try lamina.unmount("box")
    }

    /// Bytes of a stranger change nothing, and do not keep the next one waiting.
    @Test func theSocketBelievesNothing() throws {
        let box = try Box("-v", "data:/d")
        let directory = box.place.components.dropLast().reduce("/" as ByteString) { $0.appending($1) }
        let sandbox = try Descriptor.open(directory, OpenFlag.path | O_DIRECTORY)
        #expect(try sandbox.status(of: RedirectChange.socket).mode & 0o777 == 0o600)
        let target = RedirectChange.remove(target: "/d", lazy: true).encoded
        var seed: UInt64 = 1
        for round in 0..<200 {
            var message = target
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            message[Int(seed >> 33) % message.count] ^= UInt8(1 + round % 255)
            if round % 3 == 0 { message = Array(message.prefix(Int(seed >> 40) % message.count)) }
            if message == target || message.isEmpty || message == [2] + target.dropFirst() { continue }
            let connection = try sandbox.connect(to: RedirectChange.socket)
            try connection.send(message)
            let answer = try connection.receive(limit: 5_000, milliseconds: 5_000) ?? []
            #expect(RedirectChange.Outcome(answer) != .done, "\(message)")
        }
        let long = try sandbox.connect(to: RedirectChange.socket)
        try long.send([UInt8](repeating: 1, count: 100_000))
        #expect(try long.receive(limit: 5_000, milliseconds: 5_000) == [])
        #expect(try box.lamina.lines("redirect", "ls", "box").count == 2)
        try box.lamina.lines("redirect", "rm", "box", "/d")
        try box.lamina.unmount("box")
    }
}
