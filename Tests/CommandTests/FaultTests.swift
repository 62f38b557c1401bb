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

    /// Blobs that were dropped and not written off are there again, or go.
    @Test(arguments: ["EIO", "ENOSPC", "kill"])
    func aBrokenDropOfBlobsLosesNothing(_ action: String) throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let count = try forEachFault(action, lamina, ["prune", "--drop-blobs"]) { (run, number) throws in
            #expect(run.exitCode != 0, "call \(number): \(run)")
            #expect(try lamina.lines("fsck", "--deep") == ["no problems"], "call \(number)")
            try lamina.lines("prune")
            #expect(try lamina.lines("fsck", "--deep") == ["no problems"], "call \(number)")
            try lamina.lines("system", "df", "--verify")
            // Each try is to have something to drop.
            try lamina.loadSample()
        }
        #expect(count > 3)
        #expect(try lamina.lines("verify") == ["Verified: sample:latest"])
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
}
