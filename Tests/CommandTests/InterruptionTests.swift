import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// A load that a signal stops: no image can be seen, and its finished layers are not read again.
@Suite struct InterruptionTests {
    /// Six layers of 4 MiB and a bit.
    private let image = TestImage(
        (0..<6).map { number in
            var tar = TarBuilder()
            let block = noise(1 << 16, seed: UInt64(number))
            tar.add("big\(number)", (0..<64).flatMap { _ in block })
            tar.add("small\(number)", Array(block[..<1000]))
            tar.end()
            return TestImage.Layer(tar.bytes, .none)
        })

    private func start(_ lamina: LaminaProgram, _ arguments: [String], input: Int32) throws -> pid_t {
        // A runner in the background of a shell ignores SIGINT, and its children would too.
        signal(SIGINT, SIG_DFL)
        let errors = try Descriptor.open(
            lamina.path("errors"), O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o600)
        let own = [try Descriptor.duplicate(of: input).release(), try errors.duplicate(from: 10).release()]
        defer { for number in own { close(number) } }
        var command = Spawn(
            "/usr/bin/env",
            [ByteString("LAMINA_ROOT=\(lamina.root)"), try MountedSandbox.program("lamina")]
                + arguments.map { ByteString($0) })
        command.descriptors = [(0, own[0]), (1, own[1]), (2, own[1])]
        return try command.start()
    }

    private func errorLines(_ lamina: LaminaProgram) throws -> [String] {
        let file = try Descriptor.open(lamina.path("errors"), O_RDONLY)
        return String(decoding: try file.readAll(limit: 1 << 20), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    /// Waits until the load says that `count` layers are loaded, or something else.
    private func wait(for count: Int, _ lamina: LaminaProgram) throws {
        for _ in 0..<3000 {
            if try errorLines(lamina).count >= count { return }
            usleep(2_000)
        }
        Issue.record("the load does not go on: \(try errorLines(lamina))")
    }

    /// The signal may come before, within or behind any layer: all must hold wherever it does.
    @Test(arguments: [
        (0, SIGINT), (1, SIGINT), (1, SIGTERM), (2, SIGTERM), (3, SIGHUP), (4, SIGINT), (5, SIGTERM),
    ])
    func anInterruptedLoadIsResumed(_ after: Int, _ number: Int32) throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let before = try lamina.storeFiles()
        let layout = try lamina.layout(image.layout)
        let null = try Descriptor.open("/dev/null", O_RDONLY)
        let load = try start(lamina, ["load", "-i", layout], input: null.rawValue)
        try wait(for: after, lamina)
        kill(load, number)
        let code = try Spawn.wait(for: load)
        let said = try errorLines(lamina)
        let done = said.filter { $0.hasSuffix(": Loaded") }.count
        #expect(done >= after)
        if code != 0 {
            // Before the program listens to signals, one ends it without a word.
            let isSaid = said.last == "lamina: interrupted" || (after == 0 && said.isEmpty)
            #expect(code == 128 + number && isSaid, "\(said)")
            #expect(try lamina.lines("images", "-q").count == 1)
        }
        // What it finished is found, and the whole is as if nothing had happened.
        let again = try lamina.run("load", "-i", layout)
        #expect(again.lines == ["Loaded image: image:latest"], "\(again)")
        let found = again.errorLines.filter { $0.hasSuffix(": Already exists") }.count
        #expect(found >= done && again.errorLines.count == 6, "\(said), then \(again)")
        let fresh = try LaminaProgram()
        try fresh.loadSample()
        try fresh.lines("load", "-q", "-i", layout)
        #expect(try lamina.storeFiles() == fresh.storeFiles())
        try lamina.lines("rmi", "image")
        try lamina.lines("prune")
        #expect(try lamina.storeFiles() == before)
    }

    @Test func prunesTheLayersOfAnInterruptedLoad() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let null = try Descriptor.open("/dev/null", O_RDONLY)
        let load = try start(lamina, ["load", "-i", lamina.layout(image.layout)], input: null.rawValue)
        try wait(for: 2, lamina)
        kill(load, SIGKILL)
        _ = try Spawn.wait(for: load)
        #expect(try lamina.run("prune", "--all").output.contains(" layer"))
        #expect(try lamina.storeFiles() == [])
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aStreamThatStallsIsStopped(_ number: Int32) throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let before = try lamina.storeFiles()
        let pipe = try ProcessPipe()
        let load = try start(lamina, ["load", "-i", "-"], input: pipe.readEnd.rawValue)
        // Less than the whole: the load waits for more when the signal comes.
        try pipe.writeEnd.writeAll(Array(image.layout.tar[..<(3 << 20)]))
        kill(load, number)
        #expect(try Spawn.wait(for: load) == 128 + number)
        #expect(try errorLines(lamina) == ["lamina: interrupted"])
        #expect(try lamina.lines("images", "-q").count == 1)
        // The next load takes away what the dead one left.
        try lamina.loadSample()
        #expect(try lamina.storeFiles() == before)
    }
}
