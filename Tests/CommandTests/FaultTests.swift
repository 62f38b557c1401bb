import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Every call of create and prune that changes the disk fails once, or is the last of its process;
/// for those of a load see `FaultMatrixTests`.
@Suite struct FaultTests {
    /// Runs the verb until no fault was met; `check` looks at each failed run.
    private func forEachFault(
        _ action: String, _ lamina: LaminaProgram, _ arguments: [String],
        check: (CommandRun, Int) throws -> Void
    ) throws -> Int {
        for count in 1..<1000 {
            let run = try CommandRun.run(
                "lamina", arguments,
                environment: ["LAMINA_ROOT": "\(lamina.root)", "LAMINA_FAULT": "any:\(count):\(action)"])
            if run.exitCode == 0 { return count }
            try check(run, count)
        }
        Issue.record("a fault at every call")
        return 0
    }

    @Test func aFailedCreateLeavesNoTrace() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let before = try lamina.storeFiles()
        let count = try forEachFault("EIO", lamina, ["create", "sample"]) { (run, number) throws in
            lamina.expectFailure(run, code: 1)
            #expect(try lamina.storeFiles() == before, "call \(number): \(run)")
            #expect(try lamina.lines("ps", "-aq").isEmpty, "call \(number)")
        }
        #expect(count > 5)
    }

    @Test func aKilledPruneIsFinishedByTheNext() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("rmi", "sample")
        _ = try forEachFault("kill", lamina, ["prune"]) { (run, number) throws in
            #expect(run.exitCode == 128 + 9, "call \(number): \(run)")
        }
        #expect(try lamina.storeFiles() == [])
    }

    /// An error at any call leaves a store in which nothing is wrong, and which the next prune empties.
    @Test func aFailedPruneIsFinishedByTheNext() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("rmi", "sample")
        _ = try forEachFault("EIO", lamina, ["prune"]) { (run, number) throws in
            #expect(run.exitCode == 1, "call \(number): \(run)")
            #expect(try lamina.lines("fsck") == ["no problems"], "call \(number)")
        }
        #expect(try lamina.storeFiles() == [])
    }

    /// A repair that is killed anywhere has taken nothing away that the next needs.
    @Test(arguments: ["index.erofs", "stream", "splits", "objects/", "chains/"])
    func aKilledRepairIsFinishedByTheNext(_ kind: String) throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let before = try lamina.storeFiles()
        let file = try #require(before.first { $0.contains(kind) }).split(separator: " ")[0]
        let damaged = try Descriptor.open(lamina.root.appending(ByteString(String(file))), O_RDWR)
        let byte = try damaged.readBytes(at: 100, count: 1)
        try damaged.writeAll([byte[0] ^ 1].raw, at: 100)
        let count = try forEachFault("kill", lamina, ["fsck", "--deep", "--repair"]) { (run, number) throws in
            #expect(run.exitCode == 128 + 9, "call \(number): \(run)")
        }
        #expect(count > 1)
        #expect(try lamina.lines("fsck", "--deep") == ["no problems"])
        try lamina.lines("prune")
        #expect(try lamina.storeFiles() == before)
    }
}
