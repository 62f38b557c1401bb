import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// The program of LaminaEngine's article does what the article says.
@Suite(.enabled(if: canMountBoxes)) struct ExampleTests {
    private func example(_ lamina: LaminaProgram, _ words: String...) throws -> CommandRun {
        try CommandRun.run("load-and-mount", words, environment: ["LAMINA_ROOT": "\(lamina.root)"])
    }

    @Test func loadsAndMounts() throws {
        let lamina = try LaminaProgram()
        let layout = try lamina.layout(TestImage([.init(LaminaProgram.base)]).layout, named: "base")
        let place = "\(lamina.path("place"))"
        try Descriptor.workingDirectory().makeDirectory(ByteString(place), permissions: 0o755)
        let run = try example(lamina, layout, place)
        #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run)")
        let name = try #require(try lamina.lines("ps", "--format", "{{.Names}}").first)
        #expect(run.lines == ["\(name) is at \(place)"])
        let release = try Descriptor.open(ByteString("\(place)/etc/release"), O_RDONLY)
        #expect(try release.readAll(limit: 100) == Array("one\n".utf8))
        _ = consume release
        try lamina.unmount(name)
    }

    @Test func fails() throws {
        let lamina = try LaminaProgram()
        let missing = try example(lamina, "/no/such", "/tmp")
        #expect(missing.exitCode == 3 && missing.lines.count == 1, "\(missing)")
        #expect(missing.output.hasPrefix("/no/such: "), "\(missing)")
        #expect(try example(lamina).exitCode == 64)
    }
}
