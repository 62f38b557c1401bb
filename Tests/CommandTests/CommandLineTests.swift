import Foundation
import Glibc
import LaminaCore
import LaminaEngine
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite struct CommandLineTests {
    @Test func helpListsVerbsAndExitCodes() throws {
        let help = try LaminaProgram().lines("--help").joined(separator: "\n")
        for code in LaminaError.Code.allCases {
            #expect(help.contains(code.meaning.split(separator: " ").prefix(3).joined(separator: " ")))
        }
        for verb in [
            "load", "save", "import", "images", "tag", "rmi", "history", "commit", "verify", "create",
            "mount",
            "umount", "ps", "cp", "diff", "export", "rename", "rm", "stats", "sandbox", "inspect", "layer",
            "volume",
            "prune", "info", "version",
        ] {
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

    /// The snapshot of all help texts: what a command says of itself changes only on purpose.
    @Test func theCommandsDocumentIsCurrent() throws {
        let file = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = ByteString("/\(file)/docs/COMMANDS.md")
        let text = String(
            decoding: try Descriptor.open(path, O_RDONLY).readAll(limit: 1 << 20), as: UTF8.self)
        let run = try LaminaProgram().run("documentation")
        #expect(run.exitCode == 0 && run.output == text, "run Tools/generate-commands")
        // Nobody is shown the way here.
        #expect(!text.contains("lamina documentation"))
        for verb in ["images", "commit", "layer ls-files", "volume create", "cp"] {
            #expect(text.contains("\n## lamina \(verb)\n"), "\(verb)")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completions(_ shell: String) throws {
        let lamina = try LaminaProgram()
        let run = try lamina.run("--generate-completion-script", shell)
        #expect(run.exitCode == 0 && run.errors.isEmpty)
        // The shell itself takes it.
        if let program = Spawn.locate(ByteString(shell)) {
            let script = try lamina.file(Array(run.output.utf8), named: "script")
            let judged = try CommandRun.run(program, ["-n", script])
            #expect(judged.exitCode == 0 && judged.errors.isEmpty, "\(judged)")
        } else {
            print("SKIPPED, NOT TESTED: that \(shell), which is not here, takes its completion script")
        }
        for verb in ["commit", "history", "ls-files"] { #expect(run.output.contains(verb), "\(verb)") }
    }

    /// What `Tools/generate-manuals` makes pages of.
    @Test func describesItselfToTheManualsGenerator() throws {
        let run = try LaminaProgram().run("--experimental-dump-help")
        let tree = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let command = tree["command"] as? [String: Any]
        let below = command?["subcommands"] as? [[String: Any]] ?? []
        let names = below.compactMap { $0["commandName"] as? String }
        for verb in ["load", "mount", "run", "volume"] { #expect(names.contains(verb), "\(names)") }
    }

    @Test func versionAndInformation() throws {
        let lamina = try LaminaProgram()
        #expect(try lamina.lines("version", "--format", "{{.Version}}") == ["0.1.0"])
        #expect(try lamina.lines("version", "-f", "json") == ["{\"Name\":\"lamina\",\"Version\":\"0.1.0\"}"])
        lamina.expectFailure(try lamina.run("version", "-f", "{{.Nope}}"), code: 64, ".Nope")
        try lamina.loadSample()
        try lamina.lines("create", "sample")
        try lamina.lines("volume", "create", "data")
        let lines = try lamina.lines("info")
        for line in [
            "Store: \(lamina.root)", " Images: 1", " Layers: 2", " Sandboxes: 1", "  Mounted: 0",
            " Volumes: 1",
        ] {
            #expect(lines.contains(line), "\(line) in \(lines)")
        }
        for feature in ["fuse", "passthrough", "reflinks"] {
            let line = lines.first { $0.hasPrefix(" \(feature): ") }
            #expect(line?.firstMatch(of: /: (yes|no), .+/) != nil, "\(lines)")
        }
        #expect(try lamina.lines("info", "-f", "{{.Images}} {{len .Features}}") == ["1 3"])
        #expect(try lamina.lines("info", "-f", "json").first?.hasPrefix("{\"Architecture\":") == true)
        lamina.expectFailure(try lamina.run("info", "-f", "{{.Nope}}"), code: 64, ".Nope")
        lamina.expectFailure(try lamina.run("info", "x"), code: 64)
        #expect(try lamina.storeFiles().allSatisfy { !$0.hasPrefix("ingest/") })
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
