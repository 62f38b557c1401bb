import LaminaCore
import LaminaTestSupport
import Testing

/// Every call that changes the disk fails once, or is the last of its process.
@Suite struct FaultTests {
    /// Loads until no fault was met; `check` looks at each failed run.
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

    @Test(arguments: [("EIO", Int32(1)), ("ENOSPC", 5)])
    func aFailedCallLeavesNoTrace(_ action: String, _ code: Int32) throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(TestImage.sample(seed: 7).layout)
        try lamina.loadSample()
        let before = try lamina.storeFiles()
        let count = try forEachFault(action, lamina, ["load", "-q", "-i", layout]) { (run, number) throws in
            lamina.expectFailure(run, code: code)
            #expect(try lamina.storeFiles() == before, "call \(number): \(run)")
            #expect(try lamina.lines("images", "-q").count == 1, "call \(number)")
        }
        #expect(count > 20)
        #expect(try lamina.lines("images", "-q").count == 2)
    }

    @Test func aKillLeavesWhatPruneRemoves() throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(TestImage.sample(seed: 7).layout)
        try lamina.loadSample()
        let before = try lamina.storeFiles()
        let count = try forEachFault("kill", lamina, ["load", "-q", "-i", layout]) { (run, number) throws in
            #expect(run.exitCode == 128 + 9, "call \(number): \(run)")
            #expect(try lamina.lines("images", "-q").count == 1, "call \(number)")
            try lamina.lines("prune")
            #expect(try lamina.storeFiles() == before, "call \(number)")
        }
        #expect(count > 20)
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
}
