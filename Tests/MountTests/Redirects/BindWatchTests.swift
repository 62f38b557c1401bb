// What is beneath a bind is remembered for long, and what others do to it is seen at once: the host, and another mount
// of the same directory.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct BindWatchTests {
    private let host: TemporaryDirectory
    private let one: MountedSandbox

    init() throws {
        host = try TemporaryDirectory()
        try host.descriptor.makeDirectories("src/dir/inner")
        try host.write("src/dir/file", "first")
        one = try Self.mount(host)
    }

    private static func mount(
        _ host: TemporaryDirectory, consistency: Redirect.Consistency = .cached
    ) throws -> MountedSandbox {
        try MountedSandbox(
            layers: [[]], options: RedirectedMount.options,
            redirects: [
                RedirectedMount.bind(host.path.appending("src"), at: "/data", consistency: consistency)
            ])
    }

    private static func requests(_ mount: MountedSandbox) throws -> UInt64 {
        let file = try Descriptor.open(mount.sandbox.appending("stats"), O_RDONLY)
        let bytes = try file.readAll(limit: CounterFormat.fileSize)
        return try CounterSnapshot(bytes.raw).total.requests
    }

    /// Waits until something is so, for much less than what is watched is remembered.
    private func isSoon(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<400 {
            if try condition() { return true }
            usleep(10_000)
        }
        return false
    }

    /// Requests of looking at what is there and at what is not, a while after the first look.
    private func requestsLater(_ mount: MountedSandbox) throws -> UInt64 {
        func look() throws {
            #expect(try mount.status("data/dir/file").size == 5 && !mount.exists("data/dir/missing"))
            #expect(try mount.status("data/dir/inner").linkCount == 2)
        }
        try look()
        usleep(1_300_000)
        let before = try Self.requests(mount)
        try look()
        return try Self.requests(mount) - before
    }

    /// Where case is ignored, the name of the bind's place is asked for each time.
    @Test(.enabled(if: !MountedSandbox.commonOptions.contains("--ignore-case")))
    func watchedOnesAreRemembered() throws {
        #expect(try requestsLater(one) == 0)
        #expect(try requestsLater(Self.mount(host, consistency: .consistent)) >= 3)
        // Files with a name that nobody may be watching are asked for.
        try host.descriptor.link("src/dir/file", to: host.descriptor, "elsewhere")
        let two = try Self.mount(host)
        let later = try requestsLater(two)
        #expect(later >= 1 && later < 3)
    }

    /// What somebody does to `src`, and how soon the mount shows it. What it shows first it would remember for half a
    /// minute.
    private func check(_ other: Place) throws {
        let seen = one
        func status(_ name: ByteString) throws -> FileStatus { try seen.status("data/dir/" + name) }
        #expect(try status("file").size == 5 && seen.list("data/dir") == ["file", "inner"])
        #expect(try !seen.exists("data/dir/made") && status("inner").linkCount == 2)
        #expect(!seen.exists("data/dir/inner/deep") && !seen.exists("data/moved"))
        try other.write("dir/made", "x")
        #expect(try isSoon { try seen.exists("data/dir/made") && seen.list("data/dir").contains("made") })
        try other.append("dir/file", ", longer")
        #expect(try isSoon { try status("file").size == 13 })
        #expect(try seen.read("data/dir/file") == "first, longer")
        try other.truncate("dir/file", 3)
        #expect(try isSoon { try status("file").size == 3 })
        try other.setPermissions("dir/file", 0o600)
        #expect(try isSoon { try status("file").mode & 0o777 == 0o600 })
        // In its place, by a rename.
        try other.write("dir/new", "replaced")
        try other.rename("dir/new", "dir/file")
        #expect(try isSoon { try status("file").size == 8 && seen.read("data/dir/file") == "replaced" })
        try other.makeDirectory("dir/inner/deep")
        #expect(try isSoon { try status("inner").linkCount == 3 && seen.exists("data/dir/inner/deep") })
        try checkDirectories(other)
        try other.remove("dir/made")
        #expect(try isSoon { try !seen.exists("data/dir/made") && !seen.list("data/dir").contains("made") })
    }

    /// A watched directory that is renamed, with what is told of beneath it, and names that go out and come in.
    private func checkDirectories(_ other: Place) throws {
        let seen = one
        #expect(!seen.exists("data/dir/inner/deep/later") && seen.exists("data/dir/inner"))
        try other.rename("dir/inner", "moved")
        #expect(isSoon { seen.exists("data/moved/deep") && !seen.exists("data/dir/inner") })
        #expect(!seen.exists("data/moved/deep/later"))
        try other.write("moved/deep/later", "y")
        #expect(isSoon { seen.exists("data/moved/deep/later") })
        try host.descriptor.rename("src/moved/deep", to: host.descriptor, "out")
        #expect(isSoon { !seen.exists("data/moved/deep") })
        try host.write("out/later", "outside")
        try host.descriptor.rename("out", to: host.descriptor, "src/moved/in")
        #expect(isSoon { (try? seen.read("data/moved/in/later")) == "outside" })
        #expect(seen.exists("data/moved") && !seen.exists("data/dir/inner"))
        try other.rename("moved", "dir/inner")
        #expect(isSoon { seen.exists("data/dir/inner/in") && !seen.exists("data/moved") })
    }

    @Test func whatTheHostDoesIsSeen() throws { try check(.host(host)) }

    @Test func whatAnotherMountDoesIsSeen() throws { try check(.mount(try Self.mount(host))) }

    /// Who has a file open sees what becomes of it.
    @Test func openFilesShowWhatTheyAre() throws {
        let file = try one.open("data/dir/file", O_RDONLY)
        #expect(try file.status().size == 5)
        try host.write("src/dir/file", "second, longer")
        #expect(try isSoon { try file.status().size == 14 })
        #expect(try file.readAll(limit: 99) == Array("second, longer".utf8))
        try host.descriptor.removeFile("src/dir/file")
        #expect(try isSoon { try file.status().linkCount == 0 })
    }

    /// A name that a file gets beside the one that was told.
    @Test func newLinksAreSeen() throws {
        #expect(try one.status("data/dir/file").linkCount == 1 && !one.exists("data/same"))
        try host.descriptor.link("src/dir/file", to: host.descriptor, "src/same")
        #expect(isSoon { (try? one.status("data/same").linkCount) == 2 })
        #expect(try isSoon { try one.status("data/dir/file").linkCount == 2 })
        try host.write("src/same", "by the other name")
        #expect(try isSoon { try one.status("data/dir/file").size == 17 })
    }

    /// Its own changes it sees at once, and goes on remembering.
    @Test func ownChangesAreSeenAtOnce() throws {
        for round in 0..<20 {
            #expect(!one.exists("data/new") && !one.exists("data/dir/new") && one.exists("data/dir/file"))
            try one.write("data/new", "text")
            #expect(try one.status("data/new").size == 4 && one.list("data") == ["dir", "new"])
            if round % 2 == 0 { usleep(20_000) }
            try one.rename("data/new", to: "data/dir/new")
            #expect(!one.exists("data/new") && one.exists("data/dir/new"))
            try one.append("data/dir/new", "more")
            #expect(try one.status("data/dir/new").size == 8)
            try one.link("data/dir/new", to: "data/same")
            #expect(try one.status("data/dir/new").linkCount == 2 && one.status("data/same").linkCount == 2)
            try one.remove("data/dir/new")
            #expect(try one.status("data/same").linkCount == 1 && !one.exists("data/dir/new"))
            try one.remove("data/same")
            try one.makeDirectory("data/dir/made")
            #expect(try one.status("data/dir").linkCount == 4)
            try one.removeDirectory("data/dir/made")
            #expect(try one.status("data/dir").linkCount == 3 && !one.exists("data/dir/made"))
        }
    }

    /// A name that this mount moved is taken back when the host moves it on.
    @Test func whatWasMovedHereIsStillHeardOf() throws {
        #expect(one.exists("data/dir/file") && one.exists("data/dir/inner"))
        try one.rename("data/dir/file", to: "data/dir/inner/file")
        usleep(50_000)
        #expect(try one.status("data/dir/inner/file").size == 5)
        try host.write("src/dir/inner/file", "changed")
        #expect(try isSoon { try one.status("data/dir/inner/file").size == 7 })
        try host.descriptor.removeFile("src/dir/inner/file")
        #expect(isSoon { !one.exists("data/dir/inner/file") })
    }

    /// More events than the kernel keeps: all that was told is taken back.
    @Test func lostEventsHideNothing() throws {
        try host.descriptor.makeDirectory("src/busy", permissions: 0o755)
        #expect(!one.exists("data/busy/x") && one.exists("data/dir/file") && !one.exists("data/dir/made"))
        let limit = try Descriptor.open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY).readAll(limit: 32)
        let most = Int(String(decoding: limit, as: UTF8.self).prefix { $0.isNumber }) ?? 16_384
        guard most <= 1 << 17 else { return print("SKIPPED, NOT TESTED: the kernel keeps \(most) events") }
        let busy = try host.descriptor.openDirectory("src/busy")
        let isAlone = try one.whileServerSleeps {
            try busy.open("0", O_WRONLY | O_CREAT, permissions: 0o600).close()
            for number in 0...(most / 2) {
                try busy.rename(ByteString("\(number)"), to: busy, ByteString("\(number + 1)"))
            }
            try host.write("src/dir/made", "x")
            try host.write("src/dir/file", "changed")
        }
        #expect(isAlone)
        #expect(try isSoon { try one.exists("data/dir/made") && one.status("data/dir/file").size == 7 })
    }
}

/// Where somebody else changes `src`.
private enum Place {
    case host(TemporaryDirectory)
    case mount(MountedSandbox)

    private func name(_ path: ByteString) -> ByteString {
        switch self {
        case .host: ByteString("src").appending(path)
        case .mount: ByteString("data").appending(path)
        }
    }

    /// The root that names are relative to.
    private func root() throws -> Descriptor {
        switch self {
        case .host(let host): try host.descriptor.duplicate()
        case .mount(let mount): try mount.root()
        }
    }

    func write(_ path: ByteString, _ text: String) throws {
        try root().open(name(path), O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o644).writeAll(
            Array(text.utf8))
    }

    func append(_ path: ByteString, _ text: String) throws {
        try root().open(name(path), O_WRONLY | O_APPEND).writeAll(Array(text.utf8))
    }

    func truncate(_ path: ByteString, _ size: Int64) throws {
        try root().open(name(path), O_WRONLY).truncate(to: size)
    }

    func setPermissions(_ path: ByteString, _ permissions: UInt32) throws {
        try root().setPermissions(of: name(path), permissions)
    }

    func rename(_ path: ByteString, _ new: ByteString) throws {
        let root = try root()
        try root.rename(name(path), to: root, name(new))
    }

    func makeDirectory(_ path: ByteString) throws { try root().makeDirectory(name(path), permissions: 0o755) }

    func remove(_ path: ByteString) throws { try root().removeFile(name(path)) }
}
