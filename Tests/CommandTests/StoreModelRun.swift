// StoreModelRun owns what a store must hold while random verbs work on it, and the choice of the verbs.

import Foundation
import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing
import TreeModel

/// One run of the model.
final class StoreModelRun {
    let lamina: LaminaProgram
    private var random: SeededRandom
    private let seed: UInt64
    /// What a verb said it made, and none was asked to remove since.
    private var sandboxes: Set<String> = []
    private var volumes: Set<String> = []
    /// A sandbox that no verb is to remove now.
    private var mounted: String?
    private var nextName = 0
    private(set) var operations = 0
    private(set) var kills = 0
    private(set) var audits = 0
    private(set) var failed = false
    private var rounds = 0
    /// How often each verb did what it was asked.
    private(set) var done: [String: Int] = [:]
    private let began = time(nil)

    private static let images = 6
    /// Beyond as many, sandboxes and volumes go rather than come.
    private static let most = 12

    var summary: String {
        """
        store model: seed \(seed), \(operations) operations, \(kills) killed, \(audits) audits, \
        \(time(nil) - began) s; done: \(done.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        """
    }

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
            var image = TestImage([
                TestImage.Layer(middle.bytes), TestImage.Layer(tar.bytes, number % 2 == 0 ? .gzip : .zstd),
            ])
            image.annotations = ["io.containerd.image.name": "docker.io/library/sample:latest"]
            _ = try lamina.layout(image.layout, named: "image\(number)")
        }
        try lamina.lines("images")
    }

    func check(_ isTrue: Bool, _ message: @autoclosure () -> String) {
        if isTrue { return }
        failed = true
        Issue.record("seed \(seed), round \(rounds): \(message())")
    }

    // MARK: Rounds

    /// Up to four verbs at once, one of which is perhaps killed, now and then beside a mount; then a look at the
    /// store, after a kill at everything.
    func round() throws {
        rounds += 1
        let before = kills
        switch random.below(120) {
        case 0: try emptyAll()
        case 1: try removeIdleSandboxes()
        case 2...14: try session()
        default: try verbs()
        }
        if kills > before {
            // The bytes of everything; see also `audit`.
            try look(deep: true)
            if kills / 64 > before / 64 { try audit() }
        } else if rounds % 16 == 0 {
            try look(deep: false)
        }
        if rounds % 64 == 0 { try tidy() }
    }

    private func verbs() throws {
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
            if code == 0 { done[verb.arguments[0], default: 0] += 1 }
            // In use, gone meanwhile, or killed; never damaged.
            check([0, 3, 4, 137].contains(code), "\(verb.arguments): exit \(code)")
        }
    }

    private struct Verb {
        var arguments: [String]
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
        case 6, 7: return sandboxes.count < Self.most ? create(image) : remove()
        case 8: return remove()
        case 9 where volumes.count < Self.most:
            let name = newName("volume")
            return Verb(arguments: ["volume", "create", name]) { isMade in
                if isMade { self.volumes.insert(name) }
            }
        case 9, 10:
            guard let name = chosen(volumes) else { return Verb(arguments: ["volume", "ls", "-q"]) }
            volumes.remove(name)
            return Verb(arguments: ["volume", "rm", name])
        case 11:
            guard let name = chosen(sandboxes) else { return Verb(arguments: ["system", "df"]) }
            return Verb(arguments: ["commit", name, "sample:latest"])
        default: return prune()
        }
    }

    private func create(_ image: String) -> Verb {
        let name = newName("box")
        var arguments = ["create", random.below(3) == 0 ? image : "sample:latest", "--name", name]
        if random.below(3) == 0 {
            // Without a name it is an anonymous one.
            arguments += ["--volume", chosen(volumes).map { "\($0):/data" } ?? "/data"]
        }
        return Verb(arguments: arguments) { isMade in
            if isMade { self.sandboxes.insert(name) }
        }
    }

    private func remove() -> Verb {
        guard let name = chosen(sandboxes.filter { $0 != mounted }) else {
            return Verb(arguments: ["ps", "-aq"])
        }
        sandboxes.remove(name)
        return Verb(arguments: ["rm", name])
    }

    private func prune() -> Verb {
        let filters = ["until=1h", "until=0s", "label=none", "label!=none", "until=1"]
        switch random.below(7) {
        case 0: return Verb(arguments: ["prune", "--drop-blobs"])
        case 1: return Verb(arguments: ["prune", "-a", "--keep-storage", "\(random.below(9) * 100)k"])
        case 2: return Verb(arguments: ["prune", "-a", "--dry-run"])
        case 3: return Verb(arguments: ["prune", "-a"])
        case 4: return Verb(arguments: ["prune", "volume", "-f"])
        case 5: return Verb(arguments: ["prune", "-a", "-f", "--filter", random.pick(filters)])
        default: return Verb(arguments: ["prune"])
        }
    }

    private func newName(_ kind: String) -> String {
        nextName += 1
        return "\(kind)\(nextName)"
    }

    private func chosen(_ names: Set<String>) -> String? {
        names.isEmpty ? nil : random.pick(names.sorted())
    }

    // MARK: Rounds of another kind

    /// A sandbox is mounted and written to while verbs work beside it; sometimes its server is killed.
    private func session() throws {
        guard let name = chosen(sandboxes) else { return }
        mounted = name
        defer { mounted = nil }
        operations += 3
        let place = "\(lamina.path("mount"))"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try lamina.lines("mount", name, place)
        done["mount", default: 0] += 1
        try "written".write(toFile: place + "/file\(rounds)", atomically: false, encoding: .utf8)
        try verbs()
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
    }

    private func serverID(of name: String) throws -> pid_t? {
        let id = try lamina.lines("ps", "-aq", "--no-trunc", "--filter", "name=\(name)").first ?? ""
        let path = lamina.root.appending(ByteString("sandboxes/\(id)/lock"))
        let text = String(decoding: try Descriptor.open(path, O_RDONLY).readAll(limit: 64), as: UTF8.self)
        return text.split(whereSeparator: { !$0.isNumber }).first.flatMap { pid_t($0) }
    }

    /// Sandboxes of which nobody asked that they stay.
    private func removeIdleSandboxes() throws {
        operations += 1
        try lamina.lines("prune", "sandbox", "-f")
        sandboxes = []
        check(try names().sandboxes.isEmpty, "prune left a sandbox")
    }

    /// What verbs that were killed made all the same goes, or the store would grow for ever.
    private func tidy() throws {
        let known = try names()
        let lost = known.sandboxes.subtracting(sandboxes).sorted()
        if !lost.isEmpty { try lamina.lines(["rm"] + lost) }
        for name in known.volumes.subtracting(volumes).sorted() {
            let run = try lamina.run("volume", "rm", name)
            check([0, 4].contains(run.exitCode), "\(run)")
        }
    }

    // MARK: Looks

    private func look(deep: Bool) throws {
        let found = try deep ? lamina.run("fsck", "--deep") : lamina.run("fsck")
        check(found.exitCode == 0 && found.output == "no problems\n", "\(found)")
        let known = try names()
        check(sandboxes.isSubset(of: known.sandboxes), "lost: \(sandboxes.subtracting(known.sandboxes))")
        check(volumes.isSubset(of: known.volumes), "lost: \(volumes.subtracting(known.volumes))")
    }

    private func names() throws -> (sandboxes: Set<String>, volumes: Set<String>) {
        (
            Set(try lamina.lines("ps", "-a", "--format", "{{.Names}}")),
            Set(try lamina.lines("volume", "ls", "-q"))
        )
    }

    /// Everything that is left is needed and counted.
    private func audit() throws {
        audits += 1
        try lamina.lines("recover")
        try lamina.lines("prune")
        try look(deep: true)
        try lamina.lines("system", "df", "--verify")
        let owned = try owners()
        check(owned.isDisjoint(with: ["garbage", "foreign", "ingest", "lease"]), "\(owned)")
    }

    /// Everything goes when nobody needs it any more.
    private func emptyAll() throws {
        operations += 1
        try lamina.lines("prune", "all", "-a", "--volumes", "-f")
        sandboxes = []
        volumes = []
        let left = try owners()
        let files = try lamina.lines("prune", "--prove")
        check(left == ["store"], "not empty: \(files)")
        try lamina.lines("system", "df", "--verify")
    }

    func end() throws {
        try audit()
        try emptyAll()
    }

    /// The kinds of owners of the store's files, whose sum must be that of `du`.
    private func owners() throws -> Set<String> {
        let lines = try lamina.lines("prune", "--prove")
        let fields = lines.map { $0.split(separator: "\t").map(String.init) }
        let files = fields.filter { $0.count == 3 && !$0[2].hasSuffix(" files") }
        // The catalogue's own files of work are there only while it is open.
        let sum = files.filter { !$0[2].hasPrefix("lamina.db-") }.reduce(0) { $0 + (Int($1[0]) ?? 0) }
        let measured = try lamina.diskUsage()
        check(measured.hasPrefix("\(sum)\t"), "\(sum) is not what du says: \(measured)")
        return Set(files.compactMap { $0[1].split(separator: " ").first.map(String.init) })
    }
}
