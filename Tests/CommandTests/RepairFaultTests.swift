import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Every call of `rmi` and of a repair that changes the disk fails once, or is the last of its process; of a repair's
/// every fifth, unless LAMINA_FAULTS=full is in the environment.
@Suite struct RepairFaultTests {
    private static let step = CommandRun.environment("LAMINA_FAULTS") == "full" ? 1 : 5
    private static let actions = ["EIO", "ENOSPC", "kill"]

    /// Runs a verb with a fault at its calls in turn; how many calls there were. `check` must leave all as it was.
    private func tryEach(
        _ action: String, _ lamina: LaminaProgram, _ arguments: [String],
        prepare: () throws -> Void, check: (CommandRun, String) throws -> Void
    ) throws -> Int {
        func run(_ number: Int, _ action: String) throws -> CommandRun {
            try prepare()
            let fault = "any:\(number):\(action)"
            let run = try lamina.run(arguments, environment: ["LAMINA_FAULT": fault])
            let expected: Set<Int32> = action == "kill" ? [0, 128 + 9] : [0, 1, 5]
            #expect(expected.contains(run.exitCode), "\(fault): \(run)")
            try check(run, fault)
            return run
        }
        // Some errors do not matter to the end, so that only a kill tells whether there was such a call.
        var count = 0
        for step in [128, 64, 32, 16, 8, 4, 2, 1] where try run(count + step, "kill").exitCode != 0 {
            count += step
        }
        #expect(count < 255)
        var tried = 0
        var failed = 0
        for number in stride(from: 1, through: max(count, 1), by: Self.step) {
            tried += 1
            if try run(number, action).exitCode != 0 { failed += 1 }
        }
        print(
            "FAULTS: \(arguments[0]) makes \(count) calls; \(action) at \(tried) of them broke \(failed) runs"
        )
        return count
    }

    /// The image is there whole or is gone, and who shares a layer with it never notices.
    @Test(arguments: actions)
    func removal(_ action: String) throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let alone = try lamina.storeFiles()
        var other = TestImage.sample()
        other.layers.removeLast()
        let layout = try lamina.layout(other.layout, named: "other")
        let id = "\(sha256(other.config))"
        let count = try tryEach(action, lamina, ["rmi", id]) {
            try lamina.lines("load", "-q", "-i", layout)
        } check: { (run, fault) throws in
            #expect(try lamina.lines("fsck", "--deep") == ["no problems"], "\(fault)")
            let images = try lamina.lines("images", "-q", "--no-trunc")
            #expect(
                images.count == (run.exitCode == 0 ? 1 : 2) || fault.hasSuffix("kill"), "\(fault): \(images)")
            #expect(try lamina.lines("verify").count == images.count, "\(fault)")
            if images.contains(id) { try lamina.lines("rmi", id) }
            try lamina.lines("prune")
            #expect(try lamina.storeFiles() == alone, "\(fault)")
        }
        #expect(count > 0)
    }

    /// A repair that met an error or was killed has taken nothing away that the next needs.
    @Test(arguments: ["index.erofs", "stream", "splits", "objects/", "chains/"], actions)
    func repair(_ kind: String, _ action: String) throws {
        let lamina = try LaminaProgram(inMemory: true)
        try lamina.loadSample()
        let before = try lamina.storeFiles()
        let name = try #require(before.first { $0.contains(kind) }).split(separator: " ")[0]
        let path = lamina.root.appending(ByteString(String(name)))
        let right = try Descriptor.open(path, O_RDONLY).readAll(limit: 1 << 24)
        let count = try tryEach(action, lamina, ["fsck", "--deep", "--repair"]) {
            let file = try Descriptor.open(path, O_RDWR)
            try file.writeAll([right[100] ^ 1].raw, at: 100)
        } check: { (_, fault) throws in
            let again = try lamina.run("fsck", "--deep", "--repair")
            #expect(again.exitCode == 0, "\(fault): \(again)")
            #expect(try lamina.lines("fsck", "--deep") == ["no problems"], "\(fault)")
            #expect(try Descriptor.open(path, O_RDONLY).readAll(limit: 1 << 24) == right, "\(fault)")
            try lamina.lines("prune")
            #expect(try lamina.storeFiles() == before, "\(fault)")
        }
        #expect(count > 1)
    }
}
