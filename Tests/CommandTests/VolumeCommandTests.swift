import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Whether this machine can mount; says so where it cannot.
private let canMount: Bool = {
    if geteuid() != 0 { print("SKIPPED VolumeCommandTests.aVolumeWithAMountStays: needs root") }
    return geteuid() == 0
}()

/// `lamina volume`: what each verb prints, and how it fails.
@Suite struct VolumeCommandTests {
    /// Writes `bytes` zeros into a volume.
    private func write(_ bytes: Int, to volume: String, _ lamina: LaminaProgram) throws {
        let file = try Descriptor.open(
            lamina.root.appending(ByteString("volumes/\(volume)/_data/file")), O_WRONLY | O_CREAT,
            permissions: 0o600)
        try file.writeAll([UInt8](repeating: 0, count: bytes))
        try file.sync()
    }

    @Test func createPrintsTheName() throws {
        let lamina = try LaminaProgram()
        #expect(try lamina.lines("volume", "create", "data") == ["data"])
        #expect(try lamina.lines("volume", "create", "-d", "local", "a1_.-B") == ["a1_.-B"])
        let drawn = try #require(try lamina.lines("volume", "create").first)
        #expect(drawn.count == 64 && drawn.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        let room = try Descriptor.open(lamina.root.appending("volumes"), O_RDONLY)
        #expect(try room.entries().map { "\($0.name)" }.sorted() == [drawn, "a1_.-B", "data"].sorted())
        #expect(try room.status(of: "data/_data").type == .directory)
        // One that is there stays as it is, with its data and labels.
        try write(1, to: "data", lamina)
        #expect(try lamina.lines("volume", "create", "data") == ["data"])
        #expect(try room.status(of: "data/_data/file").size == 1)
        lamina.expectFailure(
            try lamina.run("volume", "create", "--label", "a=b", "data"), code: 4,
            "data: exists with other labels")
    }

    /// In a process of its own: a umask counts for all threads.
    @Test func theCallersUmaskCountsForNothing() throws {
        let lamina = try LaminaProgram()
        let run = try CommandRun.run(
            "/bin/sh",
            [
                "-c", "umask 077; exec \"$0\" volume create --root \"$1\" data",
                "\(try MountedSandbox.program("lamina"))", "\(lamina.root)",
            ])
        #expect(run.exitCode == 0, "\(run)")
        let data = try Descriptor.open(lamina.root.appending("volumes/data/_data"), O_RDONLY)
        #expect(try data.status().mode & 0o7777 == 0o755)
    }

    @Test func createRefusesByName() throws {
        let lamina = try LaminaProgram()
        for name in ["a b", "a/b", ".a", "_a", "ä", "..", "-a", "a:b"] {
            lamina.expectFailure(
                try lamina.run("volume", "create", "--", name), code: 2,
                "\(name): \"\(name)\" includes invalid characters for a local volume name")
        }
        lamina.expectFailure(try lamina.run("volume", "create", "x"), code: 2, "x: volume name is too short")
        lamina.expectFailure(
            try lamina.run("volume", "create", String(repeating: "n", count: 256)), code: 2, "255 bytes")
        lamina.expectFailure(
            try lamina.run("volume", "create", "-d", "nfs", "data"), code: 64,
            "data: volume driver \"nfs\" is not supported, only \"local\"")
        lamina.expectFailure(
            try lamina.run("volume", "create", "-o", "size=10g", "data"), code: 64,
            "data: option 'size' is not supported: nothing here could enforce it")
        for name in ["type", "o", "device"] {
            lamina.expectFailure(
                try lamina.run("volume", "create", "--opt", "\(name)=x", "data"), code: 64,
                "data: option '\(name)' is not supported")
        }
        lamina.expectFailure(
            try lamina.run("volume", "create", "-o", "foo=x", "data"), code: 64, "invalid option: \"foo\"")
        lamina.expectFailure(
            try lamina.run("volume", "create", "--label", "=x", "data"), code: 64, "empty name")
        lamina.expectFailure(
            try lamina.run("volume", "create", "--label", "a b=x", "data"), code: 64, "whitespaces")
        lamina.expectFailure(try lamina.run("volume", "create", "one", "two"), code: 64)
        #expect(try lamina.lines("volume", "ls", "-q").isEmpty)
    }

    @Test func listsAsDockerDoes() throws {
        let lamina = try LaminaProgram()
        #expect(try lamina.lines("volume", "ls") == ["DRIVER   VOLUME NAME"])
        try lamina.lines("volume", "create", "--label", "b=2", "--label", "a=1", "data")
        try lamina.lines("volume", "create", "other")
        let table = ["DRIVER   VOLUME NAME", "local    data", "local    other"]
        #expect(try lamina.lines("volume", "ls") == table)
        #expect(try lamina.lines("volume", "list", "--quiet") == ["data", "other"])
        let json = try lamina.lines("volume", "ls", "--format", "json")
        #expect(
            json.first == """
                {"Availability":"N/A","Driver":"local","Group":"N/A","Labels":"a=1,b=2","Links":"N/A",\
                "Mountpoint":"\(lamina.root)/volumes/data/_data","Name":"data","Scope":"local","Size":"N/A",\
                "Status":"N/A"}
                """)
        #expect(json.count == 2)
    }

    @Test func filtersAsDockerDoes() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("volume", "create", "--label", "a=1", "--label", "b", "data")
        try lamina.lines("volume", "create", "--label", "a=2", "database")
        try lamina.lines("volume", "create", "free")
        try lamina.lines("create", "sample", "-v", "data:/x")
        let cases: [([String], [String])] = [
            (["label=a"], ["data", "database"]), (["label=a=2"], ["database"]),
            (["label=a", "label=b"], ["data"]), (["label=none"], []), (["name=data"], ["data", "database"]),
            (["name=^data$"], ["data"]), (["name=free", "name=base"], ["database", "free"]), (["name=("], []),
            (["dangling=true"], ["database", "free"]), (["dangling=0"], ["data"]),
            (
                ["driver=local"],
                [
                    "data", "database", "free",
                ]
            ), (["driver=nfs"], []), (["DANGLING = 1", "label=a"], ["database"]),
        ]
        for (filters, names) in cases {
            let arguments = filters.flatMap { ["-f", $0] }
            let run = try CommandRun.run(
                "lamina", ["volume", "ls", "-q"] + arguments, environment: ["LAMINA_ROOT": "\(lamina.root)"])
            #expect(run.exitCode == 0 && run.lines == names, "\(filters): \(run)")
        }
        lamina.expectFailure(
            try lamina.run("volume", "ls", "-f", "label"), code: 64, "(expected name=value)")
        for filter in ["foo=1", "all=1", "label!=a", "dangling=maybe"] {
            lamina.expectFailure(
                try lamina.run("volume", "ls", "--filter", filter), code: 64, "invalid filter '")
        }
        lamina.expectFailure(
            try lamina.run("volume", "ls", "-f", "dangling=1", "-f", "dangling=0"), code: 64,
            "invalid filter 'dangling=0'")
    }

    @Test func inspectPrintsWhatItFinds() throws {
        let lamina = try LaminaProgram()
        try lamina.lines("volume", "create", "--label", "a=1", "data")
        let lines = try lamina.lines("volume", "inspect", "data")
        let text = lines.joined(separator: "\n")
        for part in [
            "\"CreatedAt\" : \"20", "\"Driver\" : \"local\"", "\"a\" : \"1\"", "\"Name\" : \"data\"",
            "\"Mountpoint\" : \"\(lamina.root)/volumes/data/_data\"", "\"Options\" : null",
            "\"Scope\" : \"local\"",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
        let run = try lamina.run("volume", "inspect", "none", "data", "nothing")
        #expect(run.exitCode == 3 && run.lines == lines, "\(run)")
        #expect(run.errorLines == ["lamina: none: no such volume", "lamina: nothing: no such volume"])
        let none = try lamina.run("volume", "inspect", "none")
        #expect(none.exitCode == 3 && none.lines == ["[]"])
        lamina.expectFailure(try lamina.run("volume", "inspect"), code: 64)
    }

    @Test func rmTakesAllItCan() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        for name in ["one", "two", "used"] { try lamina.lines("volume", "create", name) }
        try lamina.lines("create", "sample", "--name", "box", "-v", "used:/x")
        try lamina.lines("create", "sample", "--name", "other", "-v", "used:/x:ro")
        try write(1, to: "two", lamina)
        let run = try lamina.run("volume", "rm", "one", "used", "none", "two")
        #expect(run.exitCode == 4 && run.lines == ["one", "two"], "\(run)")
        #expect(run.errorLines.count == 2, "\(run)")
        #expect(run.errorLines.first == "lamina: used: volume is in use by sandbox box, other")
        #expect(run.errorLines.last == "lamina: none: no such volume")
        lamina.expectFailure(try lamina.run("volume", "rm", "-f", "used"), code: 4, "in use")
        #expect(try lamina.lines("volume", "rm", "-f", "none") == ["none"])
        try lamina.lines("rm", "box", "other")
        #expect(try lamina.lines("volume", "remove", "used") == ["used"])
        #expect(try lamina.lines("volume", "ls", "-q").isEmpty)
        let room = try Descriptor.open(lamina.root.appending("volumes"), O_RDONLY)
        #expect(try room.isEmptyDirectory())
    }

    @Test func pruneRemovesWhatNobodyUses() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("volume", "create", "named")
        let drawn = try #require(try lamina.lines("volume", "create").first)
        try lamina.lines("create", "sample", "--name", "box", "-v", "/anonymous", "-v", "used:/x")
        try write(100_000, to: drawn, lamina)
        let first = try lamina.lines("volume", "prune", "-f")
        #expect(first.count == 3 && first.prefix(2) == ["Deleted Volumes:", drawn], "\(first)")
        #expect(first.last?.firstMatch(of: /^Total reclaimed space: 1\d\d.*kB$/) != nil, "\(first)")
        #expect(try lamina.lines("volume", "prune", "-f") == ["Total reclaimed space: 0B"])
        let all = try lamina.lines("volume", "prune", "--all", "--force")
        #expect(all == ["Deleted Volumes:", "named", "Total reclaimed space: 0B"])
        #expect(try lamina.lines("volume", "ls", "-q").count == 2)
        try lamina.lines("rm", "box")
        // The named one stays until it is asked for.
        #expect(try lamina.lines("volume", "prune", "-f").count == 3)
        #expect(try lamina.lines("volume", "ls", "-q") == ["used"])
        #expect(try lamina.lines("volume", "prune", "-f", "--filter", "all=true").contains("used"))
    }

    @Test func pruneFilters() throws {
        let lamina = try LaminaProgram()
        for (name, label) in [("one", "a=1"), ("two", "a=2"), ("three", "b")] {
            try lamina.lines("volume", "create", "--label", label, name)
        }
        let two = try lamina.lines("volume", "prune", "-af", "--filter", "label=a=2")
        #expect(two.dropFirst().first == "two" && two.count == 3, "\(two)")
        let three = try lamina.lines("volume", "prune", "-af", "--filter", "label!=a")
        #expect(three.dropFirst().first == "three" && three.count == 3, "\(three)")
        lamina.expectFailure(
            try lamina.run("volume", "prune", "-f", "--filter", "name=one"), code: 64, "invalid filter 'name'"
        )
        lamina.expectFailure(
            try lamina.run("volume", "prune", "-af", "--filter", "all=1"), code: 64,
            "conflicting options: cannot specify both --all and --filter all=1")
        #expect(try lamina.lines("volume", "ls", "-q") == ["one"])
    }

    @Test func pruneAsks() throws {
        let lamina = try LaminaProgram()
        try lamina.lines("volume", "create")
        let question = "Are you sure you want to continue? [y/N] "
        for (number, answer) in ["", "n\n", "yes\n", "\n"].enumerated() {
            let input = try lamina.file(Array(answer.utf8), named: "answer\(number)")
            let run = try lamina.run("volume", "prune", input: ByteString(input))
            #expect(run.exitCode == 1 && run.output.isEmpty && run.errors.contains(question), "\(run)")
            #expect(run.errors.hasSuffix("lamina: volume prune: has been cancelled\n"), "\(run)")
        }
        let yes = try lamina.file(Array(" Y\n".utf8), named: "yes")
        let run = try lamina.run("volume", "prune", input: ByteString(yes))
        #expect(run.exitCode == 0 && run.lines.first == "Deleted Volumes:", "\(run)")
        #expect(run.errors.contains("WARNING! This will remove anonymous local volumes"), "\(run)")
    }

    /// What is mounted in a volume is not the volume's to remove.
    @Test(.enabled(if: canMount)) func aVolumeWithAMountStays() throws {
        let lamina = try LaminaProgram()
        try lamina.lines("volume", "create", "data")
        let drawn = try #require(try lamina.lines("volume", "create").first)
        let source = try lamina.file([1], named: "precious")
        for name in ["data", drawn] {
            try write(1, to: name, lamina)
            let file = "\(lamina.root)/volumes/\(name)/_data/file"
            #expect(try CommandRun.run("/bin/mount", ["--bind", source, file]).exitCode == 0)
        }
        defer { for name in ["data", drawn] { unmountFile(of: name, lamina) } }
        for _ in 0..<2 {
            lamina.expectFailure(
                try lamina.run("volume", "rm", "data"), code: 4, "data: something is mounted in it, at ",
                "volumes/data/_data/file")
        }
        #expect(try lamina.lines("volume", "prune", "-af") == ["Total reclaimed space: 0B"])
        #expect(try FileStatus.of(ByteString(source)).size == 1)
        unmountFile(of: "data", lamina)
        #expect(try lamina.lines("volume", "rm", "data") == ["data"])
    }

    private func unmountFile(of volume: String, _ lamina: LaminaProgram) {
        let file = lamina.root.appending(ByteString("volumes/\(volume)/_data/file"))
        try? MountTable.unmount(file, lazy: false)
    }

    /// `lamina prune` knows what a volume is: it takes no data, not even of one that no catalogue names.
    @Test func thePruneOfTheStoreLeavesVolumes() throws {
        let lamina = try LaminaProgram()
        try lamina.lines("volume", "create", "data")
        try lamina.lines("volume", "create", "empty")
        try lamina.lines("volume", "create")
        try write(10, to: "data", lamina)
        let root = try Descriptor.open(lamina.root, O_RDONLY)
        for path: ByteString in ["volumes/lost/_data/precious", "volumes/crashed/_data"] {
            try root.makeDirectories(path)
        }
        let trial = try lamina.lines("prune", "--all", "--dry-run")
        #expect(trial == ["would remove leftover volumes/crashed", "Total reclaimed space: 0B"])
        let real = try lamina.lines("prune", "--all", "--verbose")
        #expect(real == ["Deleted: leftover volumes/crashed", "Total reclaimed space: 0B"])
        #expect(try lamina.lines("volume", "ls", "-q").count == 3)
        #expect(try root.status(of: "volumes/data/_data/file").size == 10)
        #expect((try? root.status(of: "volumes/lost/_data/precious")) != nil)
        #expect(try root.openDirectory("volumes").entries().count == 4)
        lamina.expectFailure(
            try lamina.run("volume", "create", "lost"), code: 1,
            "lost: volumes/lost in the store holds data that no catalogue knows")
    }
}
