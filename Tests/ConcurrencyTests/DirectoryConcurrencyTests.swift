// Sixteen threads in one directory, on a mount and on a union in this process. With
// LAMINA_ROUNDS rounds; Tools/test-threads runs the second under ThreadSanitizer.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaSystem
import LaminaTestSupport
import LaminaUnion
import Testing

@Suite(.serialized) struct DirectoryConcurrencyTests {
    private static let rounds = CommandRun.environment("LAMINA_ROUNDS").flatMap { Int($0) } ?? 40

    /// A directory `d` with all names that threads expect, some of them in each of two layers.
    private static var layers: [[FixtureEntry]] {
        let own = (0..<Hammer.threads).flatMap { Hammer.lowerNames(of: $0) }
        let all = (own + Hammer.permanent).map { FixtureEntry.file(ByteString("d/") + $0, "x") }
        return [
            [.directory("d")] + all.prefix(30) + [.file("d/hidden", "x")],
            [.directory("d"), .whiteout("d", "hidden")] + all.dropFirst(30),
        ]
    }

    @Test(.enabled(if: MountedSandbox.isPossible)) func threadsOnAMount() throws {
        let mount = try MountedSandbox(layers: Self.layers, inMemory: true)
        do {
            let hammer = Hammer(try MountedDirectory(mount.path("d")), rounds: Self.rounds)
            let problems = try hammer.run()
            #expect(problems == [])
        }
        let before = try mount.list("d")
        try mount.remount()
        #expect(try mount.list("d") == before)
    }

    @Test(.enabled(if: MountedSandbox.isPossible)) func threadsOnAUnion() throws {
        let store = try TemporaryDirectory(inMemory: true)
        let union = try Self.union(in: store)
        let name: ByteString = "d"
        let entry = try name.withSpan { (span) throws(Errno) in try union.lookup(span, in: .root) }
        let directory = UnionDirectory(union: union, id: try #require(entry).id)
        let hammer = Hammer(directory, rounds: Self.rounds)
        let problems = try hammer.run()
        #expect(problems == [])
    }

    private static func union(in store: TemporaryDirectory) throws -> Union {
        let root = try store.descriptor.duplicate()
        try FixtureStore.write(layers, to: root)
        for name: ByteString in ["upper", "work"] { try root.makeDirectory(name, permissions: 0o755) }
        return try Union(
            lower: FixtureStore.lowerTree(in: root),
            upper: try root.open("upper", OpenFlag.path | O_DIRECTORY),
            work: try root.open("work", O_RDONLY | O_DIRECTORY), UnionOptions())
    }
}
