import LaminaCore
import LaminaTestSupport
import Testing

/// `lamina inspect` and `rename`, and what `ps` filters.
@Suite struct InspectCommandTests {
    @Test func findsEveryKind() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let id = try #require(try lamina.lines("create", "sample", "--name", "box").first)
        try lamina.lines("volume", "create", "data")
        let diffID = "\(sha256(TestImage.sample().layers[0].tar))"
        let config = "\(sha256(TestImage.sample().config))"
        func one(_ name: String, _ format: String, _ type: String? = nil) throws -> String? {
            try CommandRun.run(
                "lamina", ["inspect", "-f", format, name] + (type.map { ["--type", $0] } ?? []),
                environment: ["LAMINA_ROOT": "\(lamina.root)"]
            ).lines.first
        }
        #expect(try one("box", "{{.Kind}} {{.Id}} {{.State.Status}}") == "sandbox \(id) idle")
        #expect(
            try one("sample", "{{.Kind}} {{.Id}} {{index .RepoTags 0}}") == "image \(config) sample:latest")
        #expect(try one("sample", "{{json .Config}}") == "{\"Cmd\":[\"/bin/sh\"]}")
        #expect(try one("sample", "{{range .RootFS.Layers}}<{{.}}>{{end}}")?.hasPrefix("<\(diffID)>") == true)
        #expect(try one("data", "{{.Kind}} {{.Driver}}") == "volume local")
        #expect(try one(diffID, "{{.Kind}} {{.Objects}} {{len .Images}}") == "layer 1 1")
        #expect(try one(diffID, "{{.Sandboxes}}") == "[\(id)]")
        #expect(try one("box", "{{.Kind}}", "container") == "sandbox")
        // A name may be a sandbox's and an image's.
        try lamina.lines("tag", "sample", "box")
        #expect(try one("box", "{{.Kind}}") == "sandbox")
        #expect(try one("box", "{{.Kind}}", "image") == "image")
        #expect(try one("box", "json", "image")?.hasPrefix("{\"Architecture\":") == true)
    }

    @Test func printsWhatItFinds() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let run = try lamina.run("inspect", "nobody", "sample")
        #expect(run.exitCode == 3 && run.lines.first == "[" && run.output.contains("\"Kind\" : \"image\""))
        #expect(run.errorLines == ["lamina: nobody: no such sandbox, image, volume, layer"], "\(run)")
        let none = try lamina.run("inspect", "--type", "layer", "sample")
        #expect(none.exitCode == 3 && none.lines == ["[]"])
        #expect(none.errorLines == ["lamina: sample: no such layer"])
        lamina.expectFailure(try lamina.run("inspect"), code: 64)
        lamina.expectFailure(try lamina.run("inspect", "--type", "thing", "sample"), code: 64, "thing")
        lamina.expectFailure(try lamina.run("inspect", "-f", "{{.Nope}}", "sample"), code: 64, ".Nope")
        lamina.expectFailure(try lamina.run("inspect", "-f", "{{.Id.Nope}}", "sample"), code: 64, "Nope")
        lamina.expectFailure(try lamina.run("inspect", "-f", "{{", "sample"), code: 64, "unclosed action")
    }

    @Test func renames() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let id = try #require(try lamina.lines("create", "sample", "--name", "box").first)
        try lamina.lines("create", "sample", "--name", "other")
        #expect(try lamina.run("rename", "box", "crate").output.isEmpty)
        #expect(try lamina.lines("inspect", "-f", "{{.Id}}", "crate") == [id])
        lamina.expectFailure(try lamina.run("rename", "box", "x1"), code: 3, "box: no such sandbox")
        lamina.expectFailure(try lamina.run("rename", "crate", "other"), code: 4, "other is already in use")
        lamina.expectFailure(try lamina.run("rename", "crate", "crate"), code: 4, "already in use")
        lamina.expectFailure(try lamina.run("rename", "crate", "a/b"), code: 2, "a/b: is not a sandbox name")
        lamina.expectFailure(try lamina.run("rename", "crate"), code: 64)
    }

    @Test func filtersSandboxes() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        var lower = TestImage.sample()
        lower.layers.removeLast()
        try lamina.lines("load", "-q", "-i", lamina.layout(lower.layout, named: "lower"))
        let one = try #require(try lamina.lines("create", "sample", "--name", "one", "-v", "data:/x").first)
        try lamina.lines("create", "lower", "--name", "two")
        let cases: [([String], [String])] = [
            (["name=one"], ["one"]), (["name=^t"], ["two"]), (["name=one", "name=two"], ["one", "two"]),
            (["id=\(one.prefix(20))"], ["one"]), (["ancestor=sample"], ["one"]), (["volume=/x"], ["one"]),
            // What stands on all layers of an image descends from it.
            (["ancestor=lower"], ["one", "two"]), (["volume=data", "name=two"], []),
            (["status=idle"], ["one", "two"]),
            (["status=mounted"], []),
        ]
        for (filters, names) in cases {
            let run = try CommandRun.run(
                "lamina", ["ps", "-a", "--format", "{{.Names}}"] + filters.flatMap { ["-f", $0] },
                environment: ["LAMINA_ROOT": "\(lamina.root)"])
            #expect(run.exitCode == 0 && Set(run.lines) == Set(names), "\(filters): \(run)")
        }
        #expect(try lamina.lines("ps", "-q", "-n", "1").count == 1)
        #expect(try lamina.lines("ps", "-lq").count == 1)
        #expect(
            try lamina.lines("ps", "--format", "table {{.Names}}\\t{{.State}}", "-a").first == "NAME   STATE")
        for filter in ["foo=1", "status=paused", "name"] {
            lamina.expectFailure(try lamina.run("ps", "-f", filter), code: 64, "--filter")
        }
        lamina.expectFailure(try lamina.run("ps", "-f", "before=nobody"), code: 3, "nobody")
    }
}
