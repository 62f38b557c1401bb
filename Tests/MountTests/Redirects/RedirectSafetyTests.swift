// Attacks on a redirect's edge: whatever links, swaps and special files a host directory has, nothing outside it is
// read or written through the mount, and nothing in it holds the server up.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Synchronization
import Testing

@Suite(.serialized, .enabled(if: MountedSandbox.isPossible)) struct RedirectSafetyTests {
    private static let secret = "SECRET: of nobody's business"
    private static let container = "what the container has"

    /// How long a race runs: `LAMINA_ATTACK_SECONDS`.
    private static let seconds: Int =
        unsafe getenv("LAMINA_ATTACK_SECONDS").flatMap {
            Int(unsafe String(cString: $0))
        } ?? 3

    private static func mount(
        _ layer: [FixtureEntry] = [], kind: Redirect.Kind = .bind,
        prepare: (TemporaryDirectory) throws -> Void = { _ in },
        special: PlacedRedirect? = nil
    ) throws -> RedirectedMount {
        try RedirectedMount(
            [.directory("outside"), .file("outside/secret", container), .file("secret", container)] + layer,
            prepare: { host in
                try host.descriptor.makeDirectories("src/dir/deep")
                try host.descriptor.makeDirectory("outside", permissions: 0o755)
                try host.write("outside/secret", secret)
                try host.write("src/dir/secret", "inner")
                try host.write("src/file", "inner")
                try prepare(host)
            },
            {
                let source = $0.appending("src")
                var redirect = Redirect(kind, source: kind == .volume ? "v" : source, target: "/data")
                redirect.noCopy = kind == .volume
                return [PlacedRedirect(redirect, place: source)] + (special.map { [$0] } ?? [])
            })
    }

    /// Opens as a program whose root is the mount.
    private func open(
        _ test: RedirectedMount, _ path: ByteString, _ flags: Int32, permissions: UInt32 = 0
    ) throws(Errno) -> Descriptor {
        try Descriptor.open(test.mount.mountpoint, OpenFlag.path | O_DIRECTORY)
            .open(path, flags, permissions: permissions, resolve: Resolve.inRoot)
    }

    private func text(_ test: RedirectedMount, _ path: ByteString) -> String {
        do {
            return String(decoding: try open(test, path, O_RDONLY).readAll(limit: 4096), as: UTF8.self)
        } catch {
            return "\(error)"
        }
    }

    private func checkOutside(_ test: RedirectedMount) throws {
        #expect(try test.host.list("outside") == ["secret"])
        #expect(try test.host.read("outside/secret") == Self.secret)
        let status = try test.host.descriptor.status(of: "outside/secret")
        #expect(status.mode & 0o7777 == 0o644 && status.linkCount == 1)
    }

    @Test(arguments: [Redirect.Kind.bind, .volume])
    func symlinksMeanWhatTheyMeanInside(_ kind: Redirect.Kind) throws {
        let test = try Self.mount(
            kind: kind,
            prepare: { host in
                let source = try host.descriptor.openDirectory("src")
                try source.makeSymlink("absolute", target: host.path.appending("outside/secret"))
                try source.makeSymlink("absolute2", target: "/outside/secret")
                try source.makeSymlink("climbing", target: "../outside/secret")
                try source.makeSymlink("far", target: "../../../../../../../../../outside/secret")
                try source.makeSymlink("self", target: "/proc/self/cwd/outside/secret")
                try source.makeSymlink("dirlink", target: host.path.appending("outside"))
                try source.makeSymlink("up", target: "..")
            })
        #expect(text(test, "data/absolute") == "\(Errno.noSuchFileOrDirectory)")
        #expect(text(test, "data/self") == "\(Errno.noSuchFileOrDirectory)")
        #expect(text(test, "data/dirlink/secret") == "\(Errno.noSuchFileOrDirectory)")
        for name: ByteString in ["absolute2", "climbing", "far", "up/outside/secret", "up/secret"] {
            #expect(text(test, ByteString("data/") + name) == Self.container, "\(name)")
        }
        #expect(text(test, "data/dir/../../../../outside/secret") == Self.container)
        #expect(text(test, "data/dir/deep/../../../../../../secret") == Self.container)
        // Making a file through a dangling link is the container's business too.
        #expect(throws: Errno.noSuchFileOrDirectory) {
            _ = try open(test, "data/dirlink/new", O_WRONLY | O_CREAT, permissions: 0o600)
        }
        #expect(throws: Errno.fileExists) {
            _ = try open(test, "data/absolute", O_WRONLY | O_CREAT | O_EXCL, permissions: 0o600)
        }
        try checkOutside(test)
    }

    /// The kernel's own links, in a directory that only a special word lets in.
    @Test func magicLinksAreNotFollowed() throws {
        let test = try Self.mount(
            special: RedirectedMount.bind("/proc", at: "/p", readOnly: true, special: true))
        let server = try test.mount.server()
        for path in [
            "self/root/outside/secret", "\(server)/root/outside/secret", "\(server)/cwd/outside/secret",
        ] {
            let seen = text(test, ByteString("p/\(path)"))
            #expect(seen == Self.container || seen == "\(Errno.noSuchFileOrDirectory)", "\(path): \(seen)")
        }
        // A path that is the host's own, behind the server's root.
        #expect(text(test, ByteString("p/\(server)/root\(test.host.path)/outside/secret")) != Self.secret)
        let descriptors = try open(test, ByteString("p/\(server)/fd"), O_RDONLY | O_DIRECTORY).entries()
        #expect(!descriptors.isEmpty)
        for entry in descriptors {
            let path = ByteString("p/\(server)/fd").appending(entry.name)
            #expect(text(test, path.appending("outside/secret")) != Self.secret)
            #expect(text(test, path.appending("../outside/secret")) != Self.secret)
        }
        try checkOutside(test)
    }

    @Test func mountsBeneathAreNotEntered() throws {
        let test = try Self.mount(prepare: { host in
            try host.write("src/dir/deep/under", "beneath the mount")
        })
        // The mount's own mountpoint could lie in a source: following it, the server would ask itself.
        let place = test.host.path.appending("src/dir/deep")
        #expect(
            try test.mount.shell("mount -t tmpfs lamina-test \(place) && touch \(place)/new", uid: 0) == [])
        defer { try? MountTable.unmount(place, lazy: true) }
        usleep(1_100_000)
        #expect(try test.mount.list("data/dir/deep") == ["under"])
    }

    @Test func specialFilesHoldNobodyUp() throws {
        let test = try Self.mount(prepare: { host in
            let source = try host.descriptor.openDirectory("src")
            try source.makeNode("fifo", mode: FileType.fifo.rawValue | 0o666, device: .zero)
            try source.makeNode("socket", mode: FileType.socket.rawValue | 0o666, device: .zero)
            try source.makeNode(
                "null", mode: FileType.characterDevice.rawValue | 0o666,
                device: DeviceNumber(major: 1, minor: 3))
            try source.makeNode(
                "tty", mode: FileType.characterDevice.rawValue | 0o666,
                device: DeviceNumber(major: 4, minor: 99))
        })
        #expect(try test.mount.list("data") == ["dir", "fifo", "file", "null", "socket", "tty"])
        #expect(
            try test.mount.status("data/fifo").type == .fifo
                && test.mount.status("data/null").namedDevice.minor == 3)
        let fifo = try test.mount.open("data/fifo", O_RDONLY | O_NONBLOCK)
        #expect(try fifo.readBytes(at: 0, count: 0).isEmpty)
        // Renamed, given attributes, linked and removed without being opened.
        try test.mount.rename("data/fifo", to: "data/pipe")
        try test.mount.root().setPermissions(of: "data/pipe", 0o600)
        try test.mount.link("data/pipe", to: "data/dir/pipe")
        #expect(
            RedirectedMount.failure { _ = try test.mount.open("data/socket", O_RDONLY) }
                == .noSuchAddressOrDevice)
        try test.mount.open("data/null", O_WRONLY).writeAll([1, 2, 3])
        #expect(try test.mount.read("data/file") == "inner")
        for name: ByteString in ["pipe", "dir/pipe", "socket", "null"] {
            try test.mount.remove("data/" + name)
        }
        #expect(try test.host.list("src") == ["dir", "file", "tty"])
    }

    /// The mount's kernel knows them by other inodes; those that the container makes work.
    @Test func socketsAndPipesOfTheHostLeadNowhere() throws {
        let test = try Self.mount()
        let source = try test.host.descriptor.openDirectory("src")
        let data = try test.mount.open("data", O_RDONLY | O_DIRECTORY)
        let listening = try source.listen(at: "socket")
        _ = try source.connect(to: "socket")
        #expect(throws: Errno.connectionRefused) { _ = try data.connect(to: "socket") }
        try source.makeNode("pipe", mode: FileType.fifo.rawValue | 0o666, device: .zero)
        let reader = try source.open("pipe", O_RDONLY | O_NONBLOCK)
        #expect(throws: Errno.noSuchAddressOrDevice) { _ = try data.open("pipe", O_WRONLY | O_NONBLOCK) }
        withExtendedLifetime((listening.rawValue, reader.rawValue)) {}

        let own = try data.listen(at: "own")
        let connection = try data.connect(to: "own")
        try connection.send([1, 2, 3])
        #expect(try own.accept().receive(limit: 9, milliseconds: 5_000) == [1, 2, 3])
        try data.makeNode("ownpipe", mode: FileType.fifo.rawValue | 0o666, device: .zero)
        let end = try data.open("ownpipe", O_RDONLY | O_NONBLOCK)
        let sender = try data.open("ownpipe", O_WRONLY | O_NONBLOCK)
        try sender.writeAll([4, 5])
        #expect(try end.waitReadable(milliseconds: 5_000))
        withExtendedLifetime(sender.rawValue) {}
    }

    /// One thread of the host swaps a directory, a file and links to the outside for each other, while two of
    /// the container read and write by their names.
    @Test(arguments: [Redirect.Kind.bind, .volume])
    func swappedNamesNeverLeadOut(_ kind: Redirect.Kind) throws {
        let test = try Self.mount(
            kind: kind,
            prepare: { host in
                let source = try host.descriptor.openDirectory("src")
                try source.makeSymlink("link", target: host.path.appending("outside"))
                try source.makeSymlink("climb", target: "../../outside")
                try source.makeNode("pipe", mode: FileType.fifo.rawValue | 0o666, device: .zero)
                try source.makeSymlink("filelink", target: host.path.appending("outside/secret"))
            })
        let source = SharedDescriptor(try test.host.descriptor.openDirectory("src"))
        let race = Race()
        var bodies: [@Sendable () -> Void] = [{ Self.swap(in: source.descriptor) }]
        for number in 0..<2 { bodies.append { attack(test, number, race) } }
        try race.run(seconds: Self.seconds, bodies)
        #expect(race.leaks.load(ordering: .relaxed) == 0)
        #expect(race.looks.load(ordering: .relaxed) > 10)
        try checkOutside(test)
    }

    private static func swap(in source: borrowing Descriptor) {
        for other: ByteString in ["link", "climb"] {
            try? source.rename("dir", to: source, other, flags: RenameFlag.exchange)
        }
        for other: ByteString in ["filelink", "pipe"] {
            try? source.rename("file", to: source, other, flags: RenameFlag.exchange)
        }
    }

    private func attack(_ test: RedirectedMount, _ number: Int, _ race: Race) {
        if text(test, "data/dir/secret").hasPrefix("SECRET") { race.leaks.wrappingAdd(1, ordering: .relaxed) }
        if let file = try? open(test, "data/file", O_RDWR | O_NONBLOCK) {
            let bytes = (try? file.readBytes(at: 0, count: 6)) ?? []
            if bytes.elementsEqual("SECRET".utf8) { race.leaks.wrappingAdd(1, ordering: .relaxed) }
            try? file.setPermissions(0o600)
        }
        let name = ByteString("data/dir/new\(number)")
        try? open(test, name, O_WRONLY | O_CREAT | O_NONBLOCK, permissions: 0o600).writeAll([1])
        if let root = try? test.mount.root() {
            // Without symlinks on the way: the test's own root is the host's.
            let resolve = Resolve.inRoot
            if let directory = try? root.open("data/dir", OpenFlag.path | O_DIRECTORY, resolve: resolve) {
                try? directory.makeDirectory("made", permissions: 0o700)
                try? directory.rename(ByteString("new\(number)"), to: directory, "moved")
                try? directory.removeFile("moved")
                try? directory.removeDirectory("made")
            }
        }
        race.looks.wrappingAdd(1, ordering: .relaxed)
    }
}

/// Threads that run against each other for a while.
private final class Race: Sendable {
    let leaks = Atomic<Int>(0)
    let looks = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)

    /// Runs each body again and again, on a thread of its own.
    func run(seconds: Int, _ bodies: [@Sendable () -> Void]) throws {
        let workers = try bodies.map { body in
            try RaceWorker {
                while !self.isOver.load(ordering: .relaxed) { body() }
            }
        }
        usleep(UInt32(seconds) * 1_000_000)
        isOver.store(true, ordering: .relaxed)
        withExtendedLifetime(workers) {}
    }
}

private final class RaceWorker: Sendable {
    private let worker: Worker

    init(_ body: @escaping @Sendable () -> Void) throws {
        worker = try Worker(0) { _ in body() }
    }
}
