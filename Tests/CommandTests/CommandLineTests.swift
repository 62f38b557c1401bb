import LaminaEngine
import LaminaTestSupport
import Testing

@Suite struct CommandLineTests {
    @Test func helpListsVerbsAndExitCodes() throws {
        let help = try LaminaProgram().lines("--help").joined(separator: "\n")
        for code in LaminaError.Code.allCases {
            #expect(help.contains(code.meaning.split(separator: " ").prefix(3).joined(separator: " ")))
        }
        for verb in ["load", "images", "rmi", "create", "mount", "umount", "ps", "rm", "inspect", "prune"] {
            #expect(help.contains("\n  \(verb)"), "\(verb)")
            #expect(try LaminaProgram().run(verb, "--help").exitCode == 0)
        }
    }

    @Test func wrongCommandLinesAreOneLine() throws {
        let lamina = try LaminaProgram()
        lamina.expectFailure(try lamina.run("frobnicate"), code: 64)
        lamina.expectFailure(try lamina.run("create"), code: 64, "<image>")
        lamina.expectFailure(try lamina.run("ps", "--format", "xml"), code: 64, "xml")
        lamina.expectFailure(try lamina.run("ps", environment: ["LAMINA_FAULT": "x"]), code: 64)
        #expect(try lamina.run("version").output == "lamina 0.1.0\n")
        #expect(try lamina.run("--version").output == "lamina 0.1.0\n")
    }

    @Test func rootIsTakenFromTheOption() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        #expect(try lamina.lines("images", "-q", "--root", "\(lamina.path("other"))").isEmpty)
        #expect(try lamina.lines("images", "-q", "--root", "\(lamina.root)").count == 1)
    }

    @Test func refusesAStoreOfANewerVersion() throws {
        let lamina = try LaminaProgram()
        _ = try lamina.file([], named: "empty")
        lamina.expectFailure(
            try lamina.run("images", "--root", "\(lamina.path("empty"))"), code: 1, "Not a directory")
    }
}
