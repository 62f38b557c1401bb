import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

private let canMount: Bool = {
    let can = geteuid() == 0 && (try? Descriptor.open("/dev/fuse", O_RDWR)) != nil
    if !can { print("SKIPPED MaterializeCommandTests: need root and /dev/fuse") }
    return can
}()

/// `lamina sandbox materialize`: a sandbox of block-mapped files becomes one of plain files.
@Suite(.enabled(if: canMount)) struct MaterializeCommandTests {
    private static let large = noise(2_500_000, seed: 3)

    private func program() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        var layer = TarBuilder()
        layer.add("./", type: "5", mode: 0o755)
        layer.add("d/", type: "5", mode: 0o755)
        layer.add("d/large", Self.large)
        layer.add("d/other", Self.large)
        layer.end()
        let image = TestImage([TestImage.Layer(layer.bytes, .gzip)])
        try lamina.lines(
            "load", "-q", "-i", lamina.layout(image.dockerArchive("large:latest"), named: "large"))
        try lamina.lines("create", "large", "--name", "box")
        return lamina
    }

    private func sandbox(_ lamina: LaminaProgram) throws -> ByteString {
        let id = try #require(try lamina.lines("ps", "-aq", "--no-trunc").first)
        return lamina.root.appending(ByteString("sandboxes/\(id)"))
    }

    @Test func fillsMappedFiles() throws {
        let lamina = try program()
        let mountpoint = ByteString(try #require(try lamina.lines("mount", "box").first))
        try Descriptor.open(mountpoint.appending("d/large"), O_RDWR).writeAll([1, 2, 3].raw, at: 1_000_000)
        try Descriptor.open(mountpoint, O_RDONLY | O_DIRECTORY).setPermissions(of: "d/other", 0o600)
        lamina.expectFailure(try lamina.run("sandbox", "materialize", "box"), code: 4, "box: is mounted")
        try lamina.unmount("box")
        let upper = try sandbox(lamina).appending("upper/d")
        let sparse = try FileStatus.of(upper.appending("large"))
        #expect(sparse.blocks * 512 < 1 << 20)
        #expect(try lamina.lines("sandbox", "materialize", "box") == ["box: 1 file filled"])
        var expected = Self.large
        expected.replaceSubrange(1_000_000..<1_000_003, with: [1, 2, 3])
        let file = try Descriptor.open(upper.appending("large"), O_RDONLY)
        #expect(try file.readAll(limit: 4 << 20) == expected)
        #expect(try file.status().mtime == sparse.mtime)
        #expect(try file.extendedAttributeNames() == ["trusted.lamina.origin"])
        let maps = try Descriptor.open(sandbox(lamina).appending("maps"), O_RDONLY | O_DIRECTORY)
        #expect(try maps.entries().isEmpty)
        #expect(try FileStatus.of(upper.appending("other")).blocks < 16)
        #expect(try lamina.lines("sandbox", "materialize", "--all", "box") == ["box: 1 file filled"])
        let other = try Descriptor.open(upper.appending("other"), O_RDONLY)
        #expect(try other.readAll(limit: 4 << 20) == Self.large)
        #expect(try lamina.lines("sandbox", "materialize", "box") == ["box: 0 files filled"])
        try lamina.lines("rm", "box")
    }

    @Test func saysWhatFails() throws {
        let lamina = try program()
        lamina.expectFailure(
            try lamina.run("sandbox", "materialize", "nobody"), code: 3, "nobody: no such sandbox")
        let mountpoint = ByteString(try #require(try lamina.lines("mount", "box").first))
        try Descriptor.open(mountpoint.appending("d/large"), O_RDWR).writeAll([1].raw, at: 0)
        try lamina.unmount("box")
        let maps = try sandbox(lamina).appending("maps")
        let name = try #require(try Descriptor.open(maps, O_RDONLY | O_DIRECTORY).entries().first?.name)
        try Descriptor.open(maps.appending(name), O_RDWR).writeAll([0].raw, at: 0)
        lamina.expectFailure(try lamina.run("sandbox", "materialize", "box"), code: 1, "cannot materialize")
    }
}
