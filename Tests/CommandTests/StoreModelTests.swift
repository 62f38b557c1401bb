import Foundation
import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing
import TreeModel

/// Random verbs in up to four processes at one store, some of which are killed: what somebody needs is there, and
/// what nobody needs goes. `LAMINA_STORE_OPERATIONS` and `LAMINA_STORE_SEED` choose another run.
@Suite struct StoreModelTests {
    @Test func nothingNeededIsLostAndNothingElseStays() throws {
        let environment = ProcessInfo.processInfo.environment
        let operations = environment["LAMINA_STORE_OPERATIONS"].flatMap { Int($0) } ?? 240
        let seed = environment["LAMINA_STORE_SEED"].flatMap { UInt64($0) } ?? 1
        let run = try StoreModelRun(seed: seed)
        while run.operations < operations {
            try run.round()
            if run.failed { break }
        }
        try run.end()
        print("store model: seed \(seed), \(run.operations) operations, \(run.kills) killed")
        #expect(!run.failed, "LAMINA_STORE_SEED=\(seed)")
    }
}

/// One run of the model.
private final class StoreModelRun {
    private let lamina: LaminaProgram
    private var random: SeededRandom
    private let seed: UInt64
    /// What a verb said it made, and none was asked to remove since.
    private var sandboxes: Set<String> = []
    private var volumes: Set<String> = []
    private var nextName = 0
    private(set) var operations = 0
    private(set) var kills = 0
    private(set) var failed = false
    private var rounds = 0

    private static let images = 6

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededRandom(seed: seed)
        lamina = try LaminaProgram(inMemory: true)
        for number in 0..<Self.images {
            var tar = TarBuilder()
            tar.add("shared", noise(90_000, seed: 77))
            tar.add("own", noise(100_000, seed: UInt64(number)))
            tar.end()
            // Neighbours share a layer, and all an object.
            var middle = TarBuilder()
            middle.add("middle", noise(80_000, seed: UInt64(100 + number / 2)))
            middle.end()
            let image = TestImage([
                TestImage.Layer(middle.bytes), TestImage.Layer(tar.bytes, number % 2 == 0 ? .gzip : .zstd),
            ])
            _ = try lamina.layout(image.layout, named: "image\(number)")
        }
        try lamina.lines("images")
    }

    private func check(_ isTrue: Bool, _ message: @autoclosure () -> String) {
        if isTrue { return }
        failed = true
        Issue.record("seed \(seed), round \(rounds): \(message())")
    }

    // MARK: Rounds

    /// Up to four verbs at once, one of which is perhaps killed; then a look at everything.
    func round() throws {
        rounds += 1
        if random.below(6) == 0 { return try session() }
        let verbs = (0...random.below(4)).map { _ in verb() }
        let processes = try verbs.map { try lamina.start($0.arguments) }
        operations += verbs.count
        let victim = random.below(2) == 0 ? random.below(verbs.count) : nil
        if let victim {
            usleep(UInt32(random.below(40_000)))
            if kill(processes[victim], SIGKILL) == 0 { kills += 1 }
        }
        for (verb, process) in zip(verbs, processes) {
            let code = try Spawn.wait(for: process)
            verb.ended(code == 0)
            // In use, gone meanwhile, or killed; never damaged.
            check(
                [0, 1, 3, 4, 137].contains(code) && (code != 1 || verb.mayFail),
                "\(verb.arguments): exit \(code)")
        }
        try look(deep: rounds % 12 == 0)
    }

    private struct Verb {
        var arguments: [String]
        var mayFail = false
        var ended: (Bool) -> Void = { _ in }
    }

    private func verb() -> Verb {
        let image = "sample\(random.below(Self.images))"
        switch random.below(14) {
        case 0...3:
            // All layouts name their image `sample`; it gets another name when it is there.
            let number = random.below(Self.images)
            return Verb(arguments: ["load", "-q", "-i", "\(lamina.path("image\(number)"))"])
        case 4: return Verb(arguments: ["tag", "sample:latest", image])
        case 5: return Verb(arguments: ["rmi", random.below(2) == 0 ? image : "sample:latest"])
        case 6, 7:
            let name = newName("box")
            return Verb(arguments: ["create", random.below(3) == 0 ? image : "sample:latest", "--name", name])
            { isMade in
                if isMade { self.sandboxes.insert(name) }
            }
        case 8:
            guard let name = sandboxes.sorted().first else { return Verb(arguments: ["ps", "-aq"]) }
            sandboxes.remove(name)
            return Verb(arguments: ["rm", name])
        case 9:
            let name = newName("volume")
            return Verb(arguments: ["volume", "create", name]) { isMade in
                if isMade { self.volumes.insert(name) }
            }
        case 10:
            guard let name = volumes.sorted().first else { return Verb(arguments: ["volume", "ls", "-q"]) }
            volumes.remove(name)
            return Verb(arguments: ["volume", "rm", name])
        case 11:
            guard let name = sandboxes.sorted().last else { return Verb(arguments: ["system", "df"]) }
            return Verb(arguments: ["commit", name, "sample:latest"])
        default: return prune()
        }
    }

    private func prune() -> Verb {
        switch random.below(6) {
        case 0: return Verb(arguments: ["prune", "--drop-blobs"])
        case 1: return Verb(arguments: ["prune", "-a", "--keep-storage", "500k"])
        case 2: return Verb(arguments: ["prune", "-a", "--dry-run"])
        case 3: return Verb(arguments: ["prune", "-a"])
        case 4: return Verb(arguments: ["prune", "volume", "-f"])
        default: return Verb(arguments: ["prune"])
        }
    }

    private func newName(_ kind: String) -> String {
        nextName += 1
        return "\(kind)\(nextName)"
    }

    /// A sandbox is mounted and written to; sometimes its server is killed.
    private func session() throws {
        guard let name = sandboxes.sorted().first else { return }
        operations += 1
        let place = "\(lamina.path("mount"))"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try lamina.lines("mount", name, place)
        try "written".write(toFile: place + "/file\(rounds)", atomically: false, encoding: .utf8)
        let other = try lamina.run("prune", "-a")
        check(other.exitCode == 0, "prune beside a mount: \(other)")
        let content = try? String(contentsOfFile: place + "/own", encoding: .isoLatin1)
        check(content?.utf8.isEmpty == false, "a file of the image is lost in \(name)")
        if random.below(3) == 0, let server = try serverID(of: name) {
            kill(server, SIGKILL)
            kills += 1
            for _ in 0..<500 where kill(server, 0) == 0 { usleep(2_000) }
            let recovered = try lamina.run("recover")
            check(recovered.exitCode == 0 && recovered.output.contains(name), "\(recovered)")
        } else {
            try lamina.unmount(name)
        }
        try look(deep: false)
    }

    private func serverID(of name: String) throws -> pid_t? {
        let id = try lamina.lines("ps", "-aq", "--no-trunc", "--filter", "name=\(name)").first ?? ""
        let path = lamina.root.appending(ByteString("sandboxes/\(id)/lock"))
        let text = String(decoding: try Descriptor.open(path, O_RDONLY).readAll(limit: 64), as: UTF8.self)
        return text.split(whereSeparator: { !$0.isNumber }).first.flatMap { pid_t($0) }
    }

    // MARK: Looks

    private func look(deep: Bool) throws {
        let found = try deep ? lamina.run("fsck", "--deep") : lamina.run("fsck")
        check(found.exitCode == 0 && found.output == "no problems\n", "\(found)")
        let known = Set(try lamina.lines("ps", "-a", "--format", "{{.Names}}"))
        check(sandboxes.isSubset(of: known), "lost: \(sandboxes.subtracting(known))")
        let names = Set(try lamina.lines("volume", "ls", "-q"))
        check(volumes.isSubset(of: names), "lost: \(volumes.subtracting(names))")
    }

    /// Everything that is left is needed, is counted, and goes when nobody needs it any more.
    func end() throws {
        try lamina.lines("recover")
        try lamina.lines("prune")
        let found = try lamina.run("fsck", "--deep")
        check(found.output == "no problems\n", "\(found)")
        try lamina.lines("system", "df", "--verify")
        let owned = try owners()
        check(owned.isDisjoint(with: ["garbage", "foreign", "ingest", "lease"]), "\(owned)")
        try lamina.lines("prune", "all", "-a", "--volumes", "-f")
        let left = try owners()
        let files = try lamina.lines("prune", "--prove")
        check(left == ["store"], "not empty: \(files)")
        try lamina.lines("system", "df", "--verify")
    }

    /// The kinds of owners of the store's files, whose sum must be that of `du`.
    private func owners() throws -> Set<String> {
        let lines = try lamina.lines("prune", "--prove")
        let fields = lines.map { $0.split(separator: "\t").map(String.init) }
        let files = fields.filter { $0.count == 3 && !$0[2].hasSuffix(" files") }
        // The catalogue's own files of work are there only while it is open.
        let sum = files.filter { !$0[2].hasPrefix("lamina.db-") }.reduce(0) { $0 + (Int($1[0]) ?? 0) }
        let measured = try diskUsage()
        check(measured.hasPrefix("\(sum)\t"), "\(sum) is not what du says: \(measured)")
        return Set(files.compactMap { $0[1].split(separator: " ").first.map(String.init) })
    }

    private func diskUsage() throws -> String {
        let path = lamina.path("du")
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_TRUNC, permissions: 0o600)
        let own = try file.duplicate(from: 10).release()
        defer { close(own) }
        var command = Spawn("/usr/bin/env", ["du", "-s", "--block-size=1", lamina.root])
        command.descriptors = [(1, own)]
        let code = try command.run()
        check(code == 0, "du failed")
        return String(decoding: try Descriptor.open(path, O_RDONLY).readAll(limit: 4096), as: UTF8.self)
    }
}
