import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Every write, sync, rename, create, remove and commit of a load fails once, or is the last of its
/// process. After each the store opens, the image that was there before is whole, prune leaves
/// nothing over, and the same load succeeds.
///
/// Each kind is stepped over, so that the suite takes seconds; with LAMINA_FAULTS=full in the
/// environment every single call is tried, also of an archive that passes through `ingest/`.
@Suite struct FaultMatrixTests {
    private static let isFull = CommandRun.environment("LAMINA_FAULTS") == "full"
    private static let kinds = ["write", "sync", "rename", "create", "remove", "commit"]
    private static let actions: [(String, Int32)] = [("EIO", 1), ("ENOSPC", 5), ("kill", 128 + 9)]

    /// Objects within a chunk and over several, new, known from a layer before, and twice in one layer.
    private let image: TestImage = {
        let large = noise(600_000, seed: 5)
        let layers = (0..<3).map { number in
            var tar = TarBuilder()
            tar.add("large", large)
            tar.add("again", large)
            tar.add("own", noise(70_000, seed: UInt64(10 + number)))
            tar.add("small", noise(100, seed: UInt64(number)))
            tar.end()
            return TestImage.Layer(tar.bytes, number == 1 ? .zstd : .gzip)
        }
        return TestImage(layers)
    }()

    @Test(arguments: kinds, actions)
    func theStoreSurvives(_ kind: String, _ action: (String, Int32)) throws {
        let lamina = try LaminaProgram(inMemory: true)
        try lamina.loadSample()
        var inputs = [try lamina.layout(image.layout)]
        if Self.isFull {
            inputs.append(try lamina.file(compress(image.layout.tar, .gzip), named: "image.tar.gz"))
        }
        for input in inputs {
            let tried = try tryEach(kind, action, lamina, input)
            // No load of a directory removes anything that it does not have to.
            #expect(tried > 0 || kind == "remove")
            print("FAULTS: \(tried) times \(kind) met \(action.0)")
        }
    }

    /// How many of the calls tried made the load fail.
    private func tryEach(
        _ kind: String, _ action: (String, Int32), _ lamina: LaminaProgram, _ input: String
    ) throws -> Int {
        let before = try lamina.storeFiles()
        try lamina.lines("load", "-q", "-i", input)
        let whole = try lamina.storeFiles()
        try forget(lamina, before)
        // Some failures, as of tidying up, do not matter: only many successes mean the end.
        var failed = 0
        var passed = 0
        var number = 1
        while passed < (Self.isFull ? 5 : 2) {
            let fault = "\(kind):\(number):\(action.0)"
            let run = try lamina.run("load", "-q", "-i", input, environment: ["LAMINA_FAULT": fault])
            if run.exitCode == 0 {
                passed += 1
            } else {
                passed = 0
                failed += 1
                #expect(run.exitCode == action.1, "\(fault): \(run)")
                try check(lamina, before: before, whole: whole, fault)
            }
            try lamina.lines("load", "-q", "-i", input)
            #expect(try lamina.lines("verify").count == 2, "\(fault)")
            try lamina.lines("prune")
            #expect(try lamina.storeFiles() == whole, "\(fault)")
            try forget(lamina, before)
            // The first calls of a kind differ most; behind them stand many of one sort.
            number += Self.isFull || number < 4 ? 1 : 7
        }
        return failed
    }

    /// What must hold behind a load that failed or was killed. Only one that was killed while it
    /// tidied up behind its last transaction may have brought the image, and then all of it.
    private func check(
        _ lamina: LaminaProgram, before: [String], whole: [String], _ fault: String
    ) throws {
        let verified = try Set(lamina.lines("verify"))
        let wasKilled = fault.hasSuffix("kill")
        let isThere = wasKilled && fault.hasPrefix("remove") && verified.count == 2
        #expect(verified.contains("Verified: sample:latest"), "\(fault)")
        #expect(isThere || verified.count == 1, "\(fault): \(verified)")
        if !wasKilled { #expect(try lamina.storeFiles() == before, "\(fault)") }
        // Half the time the next load meets what the killed one left.
        guard fault.utf8.reduce(0, { $0 &+ Int($1) }) % 2 == 0 else { return }
        try lamina.lines("prune")
        #expect(try lamina.storeFiles() == (isThere ? whole : before), "\(fault)")
    }

    /// Takes the image away again.
    private func forget(_ lamina: LaminaProgram, _ before: [String]) throws {
        let id = "\(sha256(image.config))"
        try lamina.lines("rmi", "--force", id)
        try lamina.lines("prune")
        #expect(try lamina.storeFiles() == before)
    }
}
