import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// The way back: a stored layer as the tar it was.
@Suite struct LayerCommandTests {
    /// Tars with something at each place where a byte could get lost, by name.
    static let tars: [(String, [UInt8])] = {
        let sample = TestImage.sample().layers.map(\.tar)
        var odd = TarBuilder()
        odd.addPax([("path", Array("a/long name".utf8)), ("comment", noise(300, seed: 3))])
        odd.add("short", noise(65_537, seed: 1))
        odd.add("same", noise(65_537, seed: 1))
        odd.add("exact", noise(65_536, seed: 4))
        odd.add("below", noise(65_535, seed: 5))
        odd.end()
        var padded = TarBuilder()
        padded.add("object", type: "0", [], size: 70_000)
        padded.addRaw(noise(70_000, seed: 6))
        padded.pad(with: 0xAA)
        padded.end()
        padded.addRaw(noise(1000, seed: 7))
        var open = TarBuilder()
        open.add("no end blocks", noise(100_000, seed: 8))
        return [
            ("lower", sample[0]), ("upper", sample[1]), ("odd", odd.bytes), ("padded", padded.bytes),
            ("open", open.bytes), ("empty", [UInt8](repeating: 0, count: 1024)),
        ]
    }()

    @Test(arguments: Compression.allCases, [true, false])
    func everyLayerComesBack(_ compression: Compression, _ keepsBlobs: Bool) throws {
        let lamina = try LaminaProgram()
        let image = TestImage(Self.tars.map { TestImage.Layer($0.1, compression) })
        let layout = try lamina.layout(image.layout)
        if keepsBlobs {
            try lamina.lines("load", "-q", "-i", layout)
        } else {
            try lamina.lines("load", "-q", "--no-blobs", "-i", layout)
        }
        let kept = try lamina.storeFiles().filter { $0.hasPrefix("blobs/") }.count
        #expect(kept == 2 + (keepsBlobs && compression != .none ? Self.tars.count : 0))
        #expect(try Set(lamina.lines("layer", "ls", "-q")) == Set(Self.tars.map { "\(sha256($0.1))" }))
        for (name, tar) in Self.tars {
            let diffID = sha256(tar)
            let output = "\(lamina.path(name))"
            #expect(try lamina.lines("layer", "cat", "\(diffID)", "-o", output) == [])
            let back = try Descriptor.open(lamina.path(name), O_RDONLY).readAll(limit: 1 << 24)
            #expect(back == tar && sha256(back) == diffID, "\(name)")
        }
        #expect(try lamina.lines("verify") == ["Verified: image:latest"])
    }

    @Test func writesToStandardOutput() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let tar = TestImage.sample().layers[1].tar
        let run = try lamina.run("layer", "cat", "\(sha256(tar).hex.prefix(12))")
        #expect(run.exitCode == 0 && Array(run.output.utf8) == tar)
        lamina.expectFailure(try lamina.run("layer", "cat", "nothing"), code: 3, "no such layer")
        let table = try lamina.lines("layer", "ls")
        #expect(table.count == 3 && table[0].hasPrefix("DIFF ID"), "\(table)")
        #expect(table.dropFirst().allSatisfy { $0.hasSuffix("   1") }, "\(table)")
    }

    @Test func listsFiles() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let layers = TestImage.sample().layers.map { "\(sha256($0.tar))" }
        #expect(
            try lamina.lines("layer", "ls-files", layers[0]) == [
                "big", "etc", "etc/gone", "etc/release", "link",
            ])
        #expect(try lamina.lines("layer", "ls-files", layers[1]) == ["etc", "etc/.wh.gone", "etc/release"])
        let long = try lamina.lines("layer", "ls-files", "-l", layers[0])
        #expect(long.count == 5)
        #expect(
            long[0].split(separator: " ") == [
                "-rw-r--r--", "1000", "100", "1", "200000", "2017-07-14T02:40:00Z", "big",
            ], "\(long)")
        #expect(long[1].hasPrefix("drwxr-xr-x   ") && long[4].hasSuffix("-> etc/release"), "\(long)")
        #expect(
            try lamina.lines("layer", "ls-files", "--format", "{{.Mode}} {{.Path}}", layers[1])[1]
                == "deleted etc/.wh.gone")
        lamina.expectFailure(
            try lamina.run("layer", "ls-files", "nothing"), code: 3, "nothing: no such layer")
        lamina.expectFailure(try lamina.run("layer", "ls-files"), code: 64)
        lamina.expectFailure(
            try lamina.run("layer", "ls-files", "--format", "{{.X}}", layers[0]), code: 64, ".X")
    }

    @Test func inspects() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let layer = TestImage.sample().layers[0]
        let text = try lamina.lines("layer", "inspect", "\(sha256(layer.tar).hex.prefix(12))").joined(
            separator: "\n")
        for part in [
            "\"DiffID\" : \"\(sha256(layer.tar))\"", "\"TarSize\" : \(layer.tar.count)", "\"Entries\" : 6",
            "\"Objects\" : 1",
            "\"ObjectSize\" : 200000", "\"Digest\" : \"\(sha256(layer.blob))\"", "\"Kept\" : true",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
        let none = try lamina.run("layer", "inspect", "nothing")
        #expect(
            none.exitCode == 3 && none.lines == ["[]"]
                && none.errorLines == ["lamina: nothing: no such layer"])
        lamina.expectFailure(try lamina.run("layer", "inspect"), code: 64)
    }

    @Test func findsDamage() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let object = try #require(try lamina.storeFiles().first { $0.hasPrefix("objects/") })
        let path = lamina.root.appending(ByteString(String(object.prefix { $0 != " " })))
        let file = try Descriptor.open(path, O_WRONLY)
        try file.writeAll([UInt8]("x".utf8).raw, at: 100_000)
        let diffID = "\(sha256(TestImage.sample().layers[0].tar))"
        lamina.expectFailure(try lamina.run("verify", "sample"), code: 2, diffID, "does not match")
        let output = lamina.path("out")
        lamina.expectFailure(
            try lamina.run("layer", "cat", diffID, "-o", "\(output)"), code: 2, diffID, "does not match")
        #expect((try? FileStatus.of(output)) == nil)
        #expect(try lamina.run("layer", "cat", diffID, "-o", "/dev/null").exitCode == 2)
        try Descriptor.workingDirectory().removeFile(path)
        #expect(try lamina.run("verify").exitCode != 0)
    }
}
