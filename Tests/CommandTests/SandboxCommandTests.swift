import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Sandboxes without a mount: create, ps, inspect, rm, and what protects them.
@Suite struct SandboxCommandTests {
    @Test func createMakesUpperWorkAndLayerChain() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let id = try #require(try lamina.lines("create", "sample", "--name", "box").first)
        #expect(id.count == 64 && id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        let directory = try Descriptor.open(lamina.root.appending(ByteString("sandboxes/\(id)")), O_RDONLY)
        #expect(try directory.entries().map(\.name).sorted() == ["layerchain.json", "upper", "work"])
        let upper = try directory.status(of: "upper")
        // The image's root is 0751, of 1000:100 in 2017.
        #expect(upper.mode & 0o7777 == 0o751)
        #expect(upper.mtime.seconds == 1_500_000_000)
        if geteuid() == 0 { #expect(upper.uid == 1000 && upper.gid == 100) }
        let chain = try directory.open("layerchain.json", O_RDONLY).readAll(limit: 4096)
        let diffIDs = TestImage.sample().layers.map { sha256($0.tar).hex }
        let text = String(decoding: chain, as: UTF8.self)
        let nearest = try #require(text.firstRange(of: "\(lamina.root)/layers/\(diffIDs[1])"))
        let farthest = try #require(text.firstRange(of: "\(lamina.root)/layers/\(diffIDs[0])"))
        #expect(nearest.lowerBound < farthest.lowerBound)
    }

    @Test func listsAndFinds() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let id = try #require(try lamina.lines("create", "sample", "--name", "box").first)
        let other = try #require(try lamina.lines("create", "sample:latest").first)
        #expect(try lamina.lines("ps") == ["SANDBOX ID   IMAGE   CREATED   STATUS   MOUNTPOINT   NAME"])
        #expect(Set(try lamina.lines("ps", "-aq", "--no-trunc")) == [id, other])
        let row = try #require(try lamina.lines("ps", "-a").first { $0.hasPrefix(id.prefix(12)) })
        #expect(row.contains("sample:latest") && row.contains("Not mounted") && row.hasSuffix("box"))
        let json = try lamina.lines("ps", "-a", "--format", "json")
        #expect(json.count == 2 && json.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        #expect(
            json.contains { $0.contains("\"ID\":\"\(id.prefix(12))\"") && $0.contains("\"State\":\"idle\"") })
        let inspected = try lamina.lines("inspect", String(id.prefix(10)))
        #expect(inspected.contains { $0.contains("\"Name\" : \"box\"") })
        #expect(inspected.first == "[" && inspected.last == "]")
        // A name of letters and digits is made up.
        #expect(try lamina.lines("ps", "-a").contains { $0.firstMatch(of: /[a-z]+_[a-z]+$/) != nil })
    }

    @Test func refusesUnknownAndTakenNames() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("create", "sample", "--name", "box")
        for verb in ["mount", "umount", "rm"] {
            lamina.expectFailure(try lamina.run(verb, "nobody"), code: 3, "nobody: no such sandbox")
        }
        lamina.expectFailure(try lamina.run("create", "nothing"), code: 3, "nothing: no such image")
        lamina.expectFailure(try lamina.run("rmi", "nothing"), code: 3, "nothing: no such image")
        lamina.expectFailure(
            try lamina.run("create", "sample", "--name", "box"), code: 4, "box is already in use")
        lamina.expectFailure(try lamina.run("create", "sample", "--name", "-x/y"), code: 64)
        lamina.expectFailure(try lamina.run("create", "sample", "--name", "x/y"), code: 2, "x/y")
        lamina.expectFailure(try lamina.run("umount", "box"), code: 1, "box: is not mounted")
        #expect(try lamina.lines("ps", "-aq").count == 1)
    }

    @Test func rmTakesASandboxWhoseFilesAreLost() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let id = try #require(try lamina.lines("create", "sample").first)
        try Descriptor.open(lamina.root, O_RDONLY).removeTree(ByteString("sandboxes/\(id)"))
        lamina.expectFailure(try lamina.run("mount", id), code: 3, "No such file")
        #expect(try lamina.lines("rm", id) == [id])
        #expect(try lamina.lines("ps", "-aq").isEmpty)
    }

    @Test func rmTakesAllItCan() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("create", "sample", "--name", "one")
        try lamina.lines("create", "sample", "--name", "two")
        let run = try lamina.run("rm", "one", "nobody", "two")
        #expect(run.exitCode == 3 && run.lines == ["one", "two"], "\(run)")
        #expect(run.errorLines == ["lamina: nobody: no such sandbox"])
        #expect(try lamina.lines("ps", "-aq").isEmpty)
        #expect(try lamina.storeFiles().allSatisfy { !$0.hasPrefix("sandboxes/") })
    }

    @Test func aSandboxKeepsItsImage() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("create", "sample", "--name", "box")
        lamina.expectFailure(try lamina.run("rmi", "sample"), code: 4, "sample: is used by sandbox box")
        #expect(try lamina.lines("images").contains { $0.hasSuffix("U") })
        #expect(try lamina.lines("rmi", "-f", "sample").first == "Untagged: sample:latest")
        let before = try lamina.storeFiles()
        try lamina.lines("prune", "-a")
        let after = try lamina.storeFiles()
        // Blobs go; what the sandbox stands on stays.
        #expect(after == before.filter { !$0.hasPrefix("blobs/") })
        #expect(after.contains { $0.hasPrefix("chains/") } && after.contains { $0.hasPrefix("objects/") })
    }
}
