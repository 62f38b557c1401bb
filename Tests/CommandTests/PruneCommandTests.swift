import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite struct PruneCommandTests {
    @Test func removesAllAfterRmi() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("create", "sample", "--name", "box")
        #expect(try lamina.lines("prune") == ["Total reclaimed space: 0B"])
        try lamina.lines("rm", "box")
        let removed = try lamina.lines("rmi", "sample:latest")
        #expect(removed == ["Untagged: sample:latest", "Deleted: \(sha256(TestImage.sample().config))"])
        let before = try lamina.storeFiles()
        #expect(!before.isEmpty)
        let trial = try lamina.lines("prune", "--dry-run")
        #expect(try lamina.storeFiles() == before)
        let real = try lamina.lines("prune", "--verbose")
        #expect(try lamina.storeFiles() == [])
        // 1 chain, 2 layers, 4 blobs (config, manifest, two layers), 1 object.
        #expect(real.count == 9 && real.last?.hasPrefix("Total reclaimed space: ") == true, "\(real)")
        let expected = real.map { $0.replacing("Deleted: ", with: "would remove ") }
        #expect(trial == expected)
        for kind in ["chain", "layer", "blob", "object"] {
            #expect(real.contains { $0.hasPrefix("Deleted: \(kind) sha256:") }, "\(kind)")
        }
    }

    @Test func countsWhatItRemoves() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let trial = try lamina.lines("prune", "--all", "--dry-run")
        let lines = try lamina.lines("prune", "--all")
        let id = sha256(TestImage.sample().config)
        #expect(lines.prefix(2) == ["Untagged: sample:latest", "Deleted: image \(id)"], "\(lines)")
        let starts = ["1 chain, ", "2 layers, ", "4 blobs, ", "1 object, "].map { "Deleted: \($0)" }
        #expect(lines.count == 7, "\(lines)")
        for (line, start) in zip(lines.dropFirst(2), starts) { #expect(line.hasPrefix(start), "\(line)") }
        #expect(lines.last == trial.last)
    }

    @Test func keepsWhatAnotherImageShares() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let before = try lamina.storeFiles()
        var lower = TestImage.sample()
        lower.layers.removeLast()
        try lamina.lines("load", "-q", "-i", lamina.layout(lower.layout, named: "lower"))
        try lamina.lines("rmi", "lower")
        try lamina.lines("prune")
        #expect(try lamina.storeFiles() == before)
    }

    @Test func allRemovesUnusedImages() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let trial = try lamina.lines("prune", "-a", "--dry-run")
        #expect(trial.first == "would untag sample:latest")
        #expect(try lamina.lines("images", "-q").count == 1)
        #expect(try lamina.lines("prune", "--all").first == "Untagged: sample:latest")
        #expect(try lamina.lines("images", "-q").isEmpty)
        #expect(try lamina.storeFiles() == [])
    }

    @Test func removesLeftoversOfTheDeadOnly() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let root = try Descriptor.open(lamina.root, O_RDONLY)
        for name: ByteString in ["ingest/dead", "ingest/alive", "sandboxes/lost"] {
            try root.makeDirectories(name)
            try root.open(name.appending("data"), O_WRONLY | O_CREAT, permissions: 0o600).writeAll([1])
        }
        let alive = try root.openDirectory("ingest/alive")
        try alive.lock(exclusive: true)
        let lines = try lamina.lines("prune", "-v")
        #expect(Set(lines.dropLast()) == ["Deleted: leftover dead", "Deleted: sandbox lost"], "\(lines)")
        #expect((try? root.status(of: "ingest/alive/data")) != nil)
        #expect((try? root.status(of: "ingest/dead")) == nil)
    }

    @Test func rmiByIdAndByName() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("load", "-q", "-i", lamina.layout(TestImage.sample().layout, named: "again"))
        let id = try #require(try lamina.lines("images", "-q").first)
        lamina.expectFailure(try lamina.run("rmi", id), code: 4, "has 2 names")
        #expect(try lamina.lines("rmi", "again") == ["Untagged: again:latest"])
        let digest = sha256(TestImage.sample().config)
        #expect(try lamina.lines("rmi", id) == ["Untagged: sample:latest", "Deleted: \(digest)"])
    }
}
