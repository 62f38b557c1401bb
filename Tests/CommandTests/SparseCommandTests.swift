import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

private let canMount: Bool = {
    let can = geteuid() == 0 && (try? Descriptor.open("/dev/fuse", O_RDWR)) != nil
    if !can { print("SKIPPED SparseCommandTests: need root and /dev/fuse") }
    return can
}()

/// Sparse files on their whole way: packed by GNU tar, loaded, mounted, read, and given back.
@Suite(.enabled(if: canMount)) struct SparseCommandTests {
    /// Data at these places; all else is a hole.
    private static let files: [(name: String, size: Int, data: [(place: Int, bytes: [UInt8])])] = [
        (
            "big", 9_000_000,
            [(4096, noise(5000, seed: 1)), (3_000_001, noise(700_000, seed: 2)), (8_999_999, [7])]
        ),
        ("tail", 400_000, [(0, noise(100, seed: 3))]),
        ("holes", 300_000, []),
        ("small", 30_000, [(20_480, [1, 2, 3])]),
        ("many", 2_000_000, (0..<60).map { ($0 * 32_768, noise(300, seed: UInt64($0))) }),
        ("plain", 200_000, [(0, noise(200_000, seed: 4))]),
    ]

    private static let formats = [
        ["--format=gnu"], ["--format=posix", "--sparse-version=0.0"],
        ["--format=posix", "--sparse-version=0.1"], ["--format=posix", "--sparse-version=1.0"],
    ]

    private func content(_ file: (name: String, size: Int, data: [(place: Int, bytes: [UInt8])])) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: file.size)
        for (place, data) in file.data { bytes.replaceSubrange(place..<place + data.count, with: data) }
        return bytes
    }

    /// The files as GNU tar packs them.
    private func pack(_ format: [String], in lamina: LaminaProgram) throws -> [UInt8] {
        let directory = lamina.path("files")
        try Descriptor.workingDirectory().makeDirectory(directory, permissions: 0o755)
        for item in Self.files {
            let file = try Descriptor.open(
                directory.appending(ByteString(item.name)), O_WRONLY | O_CREAT, permissions: 0o644)
            for (place, data) in item.data { try file.writeAll(data.raw, at: Int64(place)) }
            try file.truncate(to: Int64(item.size))
        }
        let tar = lamina.path("layer.tar")
        let arguments =
            ["tar", "-S", "--hole-detection=raw"] + format + ["-C", "\(directory)", "-cf", "\(tar)"]
            + Self.files.map(\.name)
        let code = try Spawn("/usr/bin/env", arguments.map { ByteString($0) }).run()
        #expect(code == 0)
        let bytes = try Descriptor.open(tar, O_RDONLY).readAll(limit: 1 << 26)
        #expect(bytes.count < 3_000_000, "tar left the holes out")
        return bytes
    }

    @Test(arguments: formats) func aSparseLayerIsReadAndGivenBack(_ format: [String]) throws {
        let lamina = try LaminaProgram()
        let tar = try pack(format, in: lamina)
        let image = TestImage([TestImage.Layer(tar, .gzip)])
        try lamina.lines("load", "-q", "-i", lamina.layout(image.layout))
        try lamina.lines("create", "image", "--name", "sparse-box")
        let mountpoint = ByteString(try #require(try lamina.lines("mount", "sparse-box").first))
        for item in Self.files {
            let file = try Descriptor.open(mountpoint.appending(ByteString(item.name)), O_RDONLY)
            let wanted = content(item)
            #expect(try file.status().size == Int64(item.size))
            #expect(try file.readAll(limit: 1 << 24) == wanted, "\(item.name)")
        }
        try lamina.unmount("sparse-box")
        let output = lamina.path("back.tar")
        try lamina.lines("layer", "cat", "\(sha256(tar))", "-o", "\(output)")
        #expect(try Descriptor.open(output, O_RDONLY).readAll(limit: 1 << 26) == tar)
        #expect(try lamina.lines("verify") == ["Verified: image:latest"])
    }
}
