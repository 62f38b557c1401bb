import Foundation
import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// `lamina create -v` and `--mount`: what is recorded, made and refused.
@Suite struct RedirectCommandTests {
    private func program() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        return lamina
    }

    /// The `Mounts` of `lamina inspect`.
    private func mounts(of sandbox: String, _ lamina: LaminaProgram) throws -> [[String: Any]] {
        let text = try lamina.lines("inspect", sandbox).joined(separator: "\n")
        let objects = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        return try #require(objects?.first?["Mounts"] as? [[String: Any]])
    }

    private func exists(_ path: String) -> Bool { (try? FileStatus.of(ByteString(path))) != nil }

    @Test func inspectShowsThemInOrder() throws {
        let lamina = try program()
        let file = try lamina.file([1], named: "file")
        try lamina.lines(
            "create", "sample", "--name", "box", "--mount", "type=bind,src=\(file),dst=/etc/hosts,ro", "-v",
            "/z/../anon", "-v", "data:/d:ro,nocopy", "--mount",
            "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700",
            "--mount", "type=image,src=sample,dst=/i,image-subpath=etc", "--mount",
            "dst=/v,src=data,volume-subpath=a/b,consistency=consistent")
        let mounts = try mounts(of: "box", lamina)
        #expect(
            mounts.map { $0["Destination"] as? String } == ["/d", "/etc/hosts", "/t", "/i", "/v", "/anon"])
        #expect(
            mounts.map { $0["Type"] as? String } == ["volume", "bind", "tmpfs", "image", "volume", "volume"])
        #expect(mounts.map { $0["RW"] as? Bool } == [false, false, true, false, true, true])
        #expect(mounts[0]["Name"] as? String == "data" && mounts[0]["Driver"] as? String == "local")
        #expect(mounts[0]["Source"] as? String == "\(lamina.root)/volumes/data/_data")
        #expect(mounts[0]["Mode"] as? String == "ro" && mounts[1]["Source"] as? String == file)
        #expect(mounts[3]["Name"] as? String == "sample")
        #expect(mounts[3]["Source"] as? String == "\(sha256(TestImage.sample().config))")
        func options(_ index: Int) -> NSDictionary? { mounts[index]["Options"] as? NSDictionary }
        #expect(options(0) == ["NoCopy": true] && options(1) == [:])
        #expect(options(2) == ["SizeBytes": 1 << 20, "Mode": "700"] && options(3) == ["Subpath": "etc"])
        #expect(options(4) == ["Subpath": "a/b", "Consistency": "consistent"])
        #expect(options(5) == ["Anonymous": true])
        #expect(try lamina.lines("volume", "ls", "-q").count == 2)
    }

    /// A volume is one place for all sandboxes that use it, and outlives them.
    @Test func mountsServeThem() throws {
        let lamina = try program()
        let file = try lamina.file(Array("text".utf8), named: "file")
        for (name, options) in [("one", "data:/d"), ("two", "data:/d:ro")] {
            try lamina.lines(
                "create", "sample", "--name", name, "-v", options, "-v", "\(file):/etc/made/f:ro")
        }
        let one = ByteString(try #require(try lamina.lines("mount", "one").first))
        let two = ByteString(try #require(try lamina.lines("mount", "two").first))
        #expect(
            try Descriptor.open(two.appending("etc/made/f"), O_RDONLY).readAll(limit: 9) == Array("text".utf8)
        )
        try Descriptor.open(one.appending("d/new"), O_WRONLY | O_CREAT, permissions: 0o640).writeAll([7])
        #expect(try Descriptor.open(two.appending("d/new"), O_RDONLY).readAll(limit: 9) == [7])
        #expect(throws: Errno.readOnlyFileSystem) {
            try Descriptor.open(two.appending("d/new"), O_RDWR).status()
        }
        lamina.expectFailure(try lamina.run("volume", "rm", "data"), code: 4, "data")
        for name in ["one", "two"] {
            try lamina.unmount(name)
            try lamina.lines("rm", name)
        }
        #expect(exists("\(lamina.root)/volumes/data/_data/new"))
    }

    @Test func mountsSayWhatTheyCannotServe() throws {
        let lamina = try program()
        try lamina.lines("create", "sample", "--name", "box", "-v", "data:/d")
        lamina.expectFailure(
            try lamina.run("mount", "--data", "cached", "box"), code: 64,
            "--data cached", "beneath the redirect at /d")
        let source = "\(lamina.directory.path)/source"
        try lamina.lines("create", "sample", "--name", "gone", "-v", "\(source):/d")
        try Descriptor.workingDirectory().removeDirectory(ByteString(source))
        // Made again, as with Docker; by a bind that must be there, not.
        try lamina.lines("mount", "gone")
        try lamina.unmount("gone")
        try lamina.lines("create", "sample", "--name", "must", "--mount", "type=bind,src=\(source),dst=/d")
        try Descriptor.workingDirectory().removeDirectory(ByteString(source))
        lamina.expectFailure(
            try lamina.run("mount", "must"), code: 3, "bind source path does not exist: \(source)")
        // A source that leads elsewhere by now is judged anew.
        try Descriptor.workingDirectory().makeSymlink(
            ByteString(source), target: ByteString("\(lamina.root)"))
        lamina.expectFailure(try lamina.run("mount", "must"), code: 2, "leads into the store")
        #expect(try lamina.lines("ps").count == 1)
    }

    @Test func sourcesOfBindsAreFoundOrMade() throws {
        let lamina = try program()
        let path = "\(lamina.directory.path)"
        lamina.expectFailure(
            try lamina.run("create", "sample", "--mount", "type=bind,src=\(path)/no/such,dst=/d"), code: 3,
            "invalid mount config for type \"bind\": bind source path does not exist: \(path)/no/such")
        #expect(!exists("\(path)/no"))
        try lamina.lines("create", "sample", "-v", "\(path)/made/here:/d")
        #expect(try FileStatus.of(ByteString("\(path)/made/here")).type == .directory)
        try lamina.lines(
            "create", "sample", "--mount", "type=bind,src=\(path)/also,dst=/d,bind-create-src")
        #expect(exists("\(path)/also"))
        // A file is a source too, and nothing is made beneath one.
        let file = try lamina.file([1], named: "file")
        try lamina.lines("create", "sample", "-v", "\(file):/f")
        lamina.expectFailure(
            try lamina.run("create", "sample", "-v", "\(file)/x:/f"), code: 1, "Not a directory")
        try Descriptor.workingDirectory().makeSymlink(ByteString("\(path)/nowhere"), target: "no/such")
        lamina.expectFailure(
            try lamina.run("create", "sample", "-v", "\(path)/nowhere:/f"), code: 3, "nowhere")
        #expect(try lamina.lines("ps", "-aq").count == 3)
    }

    @Test func aRefusedCreateMakesNothing() throws {
        let lamina = try program()
        let before = try lamina.storeFiles()
        let path = "\(lamina.directory.path)/new"
        lamina.expectFailure(
            try lamina.run("create", "sample", "-v", "\(path):/a", "-v", "data:/b", "-v", "more:/b"),
            code: 64,
            "Duplicate mount point: /b")
        lamina.expectFailure(
            try lamina.run("create", "sample", "-v", "\(path):/a", "--mount", "type=image,src=none,dst=/b"),
            code: 3, "none: no such image")
        lamina.expectFailure(
            try lamina.run("create", "sample", "-v", "\(path):/a", "-v", "/proc/self:/b"), code: 2,
            "/proc/self")
        lamina.expectFailure(
            try lamina.run("create", "sample", "-v", "data:/b", "--mount", "bogus"), code: 64,
            "--mount bogus: invalid field 'bogus' must be a key=value pair")
        lamina.expectFailure(try lamina.run("create", "nothing", "-v", "data:/b"), code: 3, "no such image")
        lamina.expectFailure(
            try lamina.run("create", "sample", "--name", "a/b", "-v", "data:/b"), code: 2, "a/b")
        #expect(!exists(path))
        #expect(try lamina.lines("volume", "ls", "-q").isEmpty && lamina.lines("ps", "-aq").isEmpty)
        try lamina.lines("create", "sample", "--name", "box")
        lamina.expectFailure(
            try lamina.run("create", "sample", "--name", "box", "-v", "data:/b"), code: 4, "already in use")
        #expect(try lamina.lines("volume", "ls", "-q").isEmpty)
        try lamina.lines("rm", "box")
        #expect(try lamina.storeFiles() == before)
        #expect(!exists("\(lamina.root)/volumes/data"))
    }

    @Test func specialSourcesNeedAWord() throws {
        let lamina = try program()
        let path = "\(lamina.directory.path)"
        try Descriptor.workingDirectory().makeSymlink(ByteString("\(path)/link"), target: "store/volumes")
        let cases = [
            ("/", "is the root of the host"), ("/proc", "leads to /proc"),
            ("/sys/kernel", "leads to /sys/kernel"),
            ("\(lamina.root)", "leads into the store"),
            ("\(lamina.root)/volumes/new", "leads into the store"),
            (path, "holds the store"), ("\(path)/link/..", "leads into the store"),
        ]
        try lamina.lines("volume", "create", "data")
        for (source, reason) in cases where source != "\(path)/link/.." {
            lamina.expectFailure(
                try lamina.run("create", "sample", "-v", "\(source):/d"), code: 2, source, reason,
                "--allow-special")
        }
        lamina.expectFailure(
            try lamina.run("create", "sample", "-v", "\(path)/link:/d"), code: 2, "leads into the store")
        #expect(!exists("\(lamina.root)/volumes/new"))
        try lamina.lines("create", "sample", "--name", "box", "--allow-special", "-v", "/proc:/d:ro")
        let options = try mounts(of: "box", lamina).first?["Options"] as? NSDictionary
        #expect(options == ["AllowSpecial": true, "CreateMountpoint": true])
    }

    @Test func volumesOfTheImageBecomeAnonymousOnes() throws {
        let lamina = try LaminaProgram()
        var image = TestImage.sample()
        image.volumes = ["/var/lib/data", "/var/log/", "etc"]
        try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "sample"))
        try lamina.lines(
            "create", "sample", "--name", "box", "-v", "logs:/var/log", "-v", "/etc", "-v", "/own")
        let mounts = try mounts(of: "box", lamina)
        #expect(
            mounts.map { $0["Destination"] as? String } == ["/var/log", "/etc", "/own", "/var/lib/data"])
        #expect(mounts.first?["Name"] as? String == "logs")
        let drawn = mounts.dropFirst().compactMap { $0["Name"] as? String }
        #expect(Set(drawn).count == 3 && drawn.allSatisfy { $0.count == 64 })
        let dangling = try lamina.lines("volume", "ls", "-q", "-f", "label=com.docker.volume.anonymous")
        #expect(dangling == drawn.sorted())
        // rm leaves them, rm -v takes those that nobody named.
        try lamina.lines("create", "sample", "--name", "two", "-v", "\(drawn[0]):/shared")
        #expect(try lamina.lines("rm", "-v", "box") == ["box"])
        let left = try lamina.lines("volume", "ls", "-q")
        #expect(left.contains("logs") && left.contains(drawn[0]) && !left.contains(drawn[1]))
        try lamina.lines("rm", "two")
        #expect(try lamina.lines("volume", "ls", "-q").count == left.count)
        #expect(try lamina.lines("volume", "prune", "-f").count == 2 + left.count - 1)
    }

    /// Without a word of the caller too, and with what the image has there.
    @Test func volumesOfTheImageTakeItsFiles() throws {
        let lamina = try LaminaProgram()
        var image = TestImage.sample()
        image.volumes = ["/etc"]
        try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "sample"))
        try lamina.lines("create", "sample", "--name", "box")
        let name = try #require(try mounts(of: "box", lamina).first?["Name"] as? String)
        #expect(name.count == 64)
        let place = ByteString(try #require(try lamina.lines("mount", "box").first))
        let text = try Descriptor.open(place.appending("etc/release"), O_RDWR).readAll(limit: 99)
        #expect(!text.isEmpty)
        #expect(
            try Descriptor.open(ByteString("\(lamina.root)/volumes/\(name)/_data/release"), O_RDONLY)
                .readAll(limit: 99) == text)
        #expect(!exists("\(place)/etc/gone"))
        try lamina.unmount("box")
        try lamina.lines("rm", "-v", "box")
        #expect(try lamina.lines("volume", "ls", "-q").isEmpty && !exists("\(lamina.root)/volumes/\(name)"))
    }

    @Test(arguments: [
        ("\"Volumes\":{\"/\":{}}", "VOLUME /: "), ("\"Volumes\":[\"/a\"]", "Volumes has the wrong type"),
    ])
    func damagedVolumesOfAnImage(_ volumes: String, _ reason: String) throws {
        let lamina = try LaminaProgram()
        var image = TestImage.sample()
        image.configFields = volumes
        try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "sample"))
        lamina.expectFailure(try lamina.run("create", "sample", "-v", "data:/own"), code: 2, reason)
    }

    @Test func aRedirectKeepsItsImage() throws {
        let lamina = try program()
        var other = TestImage.sample(seed: 2)
        other.volumes = ["/never/read"]
        try lamina.lines("load", "-q", "-i", lamina.layout(other.layout, named: "other"))
        try lamina.lines("create", "sample", "--name", "box", "--mount", "type=image,src=other,dst=/o")
        lamina.expectFailure(try lamina.run("rmi", "other"), code: 4, "other: is used by sandbox box")
        let before = try lamina.storeFiles()
        try lamina.lines("prune", "--all")
        #expect(try lamina.storeFiles() == before)
        try lamina.lines("rmi", "-f", "other")
        try lamina.lines("prune")
        let kept = before.filter { !$0.hasPrefix("blobs/") }
        #expect(try lamina.storeFiles().filter { !$0.hasPrefix("blobs/") } == kept)
        try lamina.lines("rm", "box")
        try lamina.lines("prune", "--all")
        #expect(try lamina.storeFiles() == [])
    }

    @Test func moreThanTheLimits() throws {
        let lamina = try program()
        func create(_ targets: [String]) throws -> CommandRun {
            try CommandRun.run(
                "lamina", ["create", "sample"] + targets.flatMap { ["--mount", "type=tmpfs,dst=\($0)"] },
                environment: ["LAMINA_ROOT": "\(lamina.root)"])
        }
        let many = (0..<1001).map { "/t\($0)" }
        lamina.expectFailure(try create(many), code: 64, "1001 are more than a sandbox may have (1000)")
        #expect(try create(Array(many.dropLast())).exitCode == 0)
        let deep = (1...33).map { String(repeating: "/d", count: $0) }
        lamina.expectFailure(try create(deep), code: 64, "is beneath more than 31 other redirects")
        #expect(try create(Array(deep.dropLast())).exitCode == 0)
    }
}
