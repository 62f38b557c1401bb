import LaminaCore
import LaminaTestSupport
import Testing

/// `lamina images`, `tag` and `history`: what they print, and how they fail.
@Suite struct ImageListTests {
    /// Two images: `sample`, of 2020 with two labels, and `other`, of 2021 without.
    private func load(_ lamina: LaminaProgram) throws -> (sample: Digest, other: Digest) {
        var first = TestImage.sample()
        first.created = "2020-01-02T03:04:05.678901234+01:00"
        first.configFields = "\"Labels\":{\"a\":\"1\",\"b\":\"\"}"
        var second = TestImage.sample(.zstd, seed: 7)
        second.created = "2021-01-01T00:00:00Z"
        try lamina.lines("load", "-q", "-i", lamina.layout(first.layout, named: "sample"))
        try lamina.lines("load", "-q", "-i", lamina.layout(second.layout, named: "other"))
        return (sha256(first.config), sha256(second.config))
    }

    private func short(_ digest: Digest) -> String { String(digest.hex.prefix(12)) }

    @Test func tableHasARowForEachName() throws {
        let lamina = try LaminaProgram()
        let (sample, other) = try load(lamina)
        #expect(try lamina.run("tag", "sample", "ghcr.io/some/thing:2").output.isEmpty)
        try lamina.lines("create", "sample", "--name", "box")
        let table = try lamina.lines("images")
        #expect(table.count == 4, "\(table)")
        #expect(
            table[0].split(separator: "   ").map { $0.trimmingPrefix(" ") }
                == ["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"])
        let row = try #require(table.first { $0.hasPrefix("ghcr.io/some/thing:2   ") })
        #expect(row.contains(short(sample)) && row.hasSuffix("   U"), "\(table)")
        #expect(
            table.contains {
                $0.hasPrefix("other:latest ") && $0.contains(short(other)) && !$0.hasSuffix("U")
            })
        #expect(Set(try lamina.lines("images", "-q")) == [short(sample), short(other)])
        #expect(Set(try lamina.lines("images", "-aq", "--no-trunc")) == ["\(sample)", "\(other)"])
        let digests = try lamina.lines("images", "--digests", "--no-trunc", "other")
        #expect(digests.count == 2 && digests[0].contains("   DIGEST   "), "\(digests)")
        var image = TestImage.sample(.zstd, seed: 7)
        image.created = "2021-01-01T00:00:00Z"
        #expect(digests[1].contains("\(sha256(image.manifest))   \(other)"), "\(digests)")
    }

    @Test func filters() throws {
        let lamina = try LaminaProgram()
        let (sample, other) = try load(lamina)
        try lamina.lines("tag", "sample", "ghcr.io/some/thing:2")
        let cases: [([String], [Digest])] = [
            (["label=a"], [sample]), (["label=a=1", "label=b"], [sample]), (["label=a=2"], []),
            (["before=other"], [sample]), (["since=sample"], [other]), (["since=other"], []),
            (["reference=s*:l*"], [sample]), (["reference=ghcr.io/*/thing"], [sample]),
            (["reference=ghcr.io/*"], []),
            (["reference=other", "reference=sample:latest"], [sample, other]),
            (["dangling=true"], []), (["dangling=false", "label=a"], [sample]),
            (["reference=[ot]*"], [other]),
        ]
        for (filters, expected) in cases {
            let run = try CommandRun.run(
                "lamina", ["images", "-q"] + filters.flatMap { ["--filter", $0] },
                environment: ["LAMINA_ROOT": "\(lamina.root)"])
            #expect(run.exitCode == 0 && Set(run.lines) == Set(expected.map(short)), "\(filters): \(run)")
        }
        // Only the names that match are rows.
        #expect(try lamina.lines("images", "sample").count == 2)
        #expect(try lamina.lines("images", "nothing").count == 1)
        try lamina.lines("rmi", "-f", "other")
        try lamina.lines(
            "load", "-q", "-i", lamina.layout(TestImage.sample(seed: 9).layout, named: "Bad Name"))
        #expect(try lamina.lines("images", "-f", "dangling=1").last?.hasPrefix("<none>") == true)
        for filter in ["foo=1", "dangling=maybe", "label"] {
            lamina.expectFailure(try lamina.run("images", "-f", filter), code: 64, "--filter")
        }
        lamina.expectFailure(
            try lamina.run("images", "-f", "before=nobody"), code: 3, "nobody: no such image")
    }

    @Test func formats() throws {
        let lamina = try LaminaProgram()
        let (sample, _) = try load(lamina)
        func lines(_ format: String) throws -> [String] {
            try lamina.lines("images", "--format", format, "sample")
        }
        #expect(try lines("{{.ID}}: {{.Repository}}") == ["\(short(sample)): sample"])
        #expect(
            try lines("{{.Tag | upper}} {{json .CreatedAt}}") == ["LATEST \"2020-01-02 02:04:05 +0000 UTC\""])
        #expect(try lines("table {{.Repository}}\\t{{.Tag}}") == ["REPOSITORY   TAG", "sample       latest"])
        #expect(
            try lines("{{if eq .Tag \"latest\"}}yes{{else}}no{{end}} {{.Platform}}")
                == ["yes linux/\(TestImage.hostArchitecture)"])
        let json = try lines("json")
        #expect(json.count == 1 && json[0].hasPrefix("{\"Containers\":\"0\",") && json[0].hasSuffix("}"))
        #expect(json[0].contains("\"ID\":\"\(short(sample))\"") && json[0].contains("\"Tag\":\"latest\""))
        for format in [
            "{{.Nothing}}", "{{.ID", "{{nothing .ID}}", "{{if .ID}}", "{{end}}", "{{}}", "{{.ID .Tag}}",
        ] {
            lamina.expectFailure(
                try lamina.run("images", "--format", format, "sample"), code: 64, "--format: ")
            lamina.expectFailure(
                try lamina.run("images", "--format", format, "nothing"), code: 64, "--format: ")
        }
        lamina.expectFailure(try lamina.run("images", "--format", "xml"), code: 64, "xml")
    }

    @Test func tree() throws {
        let lamina = try LaminaProgram()
        let (sample, _) = try load(lamina)
        try lamina.lines("tag", "sample", "a:1")
        let tree = try lamina.lines("images", "--tree", "-f", "label=a")
        #expect(tree.count == 4 && tree[1] == "a:1", "\(tree)")
        #expect(tree[2].hasPrefix("sample:latest ") && tree[2].contains("   \(short(sample))   "), "\(tree)")
        #expect(tree[3].hasPrefix("└─ linux/\(TestImage.hostArchitecture)   "), "\(tree)")
        lamina.expectFailure(try lamina.run("images", "--tree", "-q"), code: 64, "--tree")
    }

    @Test func tagMovesNames() throws {
        let lamina = try LaminaProgram()
        let (sample, other) = try load(lamina)
        #expect(try lamina.run("tag", short(sample), "other").exitCode == 0)
        #expect(try lamina.lines("images", "-q", "other") == [short(sample)])
        #expect(try lamina.lines("images", "-q", "-f", "dangling=true") == [short(other)])
        lamina.expectFailure(try lamina.run("tag", "nobody", "x"), code: 3, "nobody: no such image")
        lamina.expectFailure(try lamina.run("tag", "sample", "Bad"), code: 2, "Bad")
        lamina.expectFailure(
            try lamina.run("tag", "sample", "x@\(sample)"), code: 2, "refusing to create a tag with a digest")
        lamina.expectFailure(try lamina.run("tag", "sample"), code: 64)
    }

    @Test func historyTellsSteps() throws {
        let lamina = try LaminaProgram()
        var image = TestImage.sample()
        image.history = """
            [{"created":"2020-01-01T00:00:00Z","created_by":"ADD rootfs.tar /\\twith a long command behind it","comment":"base"},
            {"created":"2020-01-02T00:00:00Z","created_by":"ENV a=b","empty_layer":true},
            {"created_by":"RUN x"}]
            """
        try lamina.lines("load", "-q", "-i", lamina.layout(image.layout, named: "sample"))
        let id = short(sha256(image.config))
        let lines = try lamina.lines("history", "sample")
        #expect(lines.count == 4, "\(lines)")
        #expect(
            lines[0].split(separator: " ").joined(separator: " ") == "IMAGE CREATED CREATED BY SIZE COMMENT")
        #expect(lines[1].hasPrefix("\(id)   ") && lines[1].contains("RUN x"), "\(lines)")
        #expect(lines[2].hasPrefix("<missing>") && lines[2].hasSuffix("0B"), "\(lines)")
        #expect(
            lines[3].contains("ADD rootfs.tar / with a long command behind …") && lines[3].hasSuffix("base"))
        #expect(try lamina.lines("history", "-q", "sample") == [id, "<missing>", "<missing>"])
        let exact = try lamina.lines(
            "history", "--no-trunc", "--human=false", "--format", "{{.Size}} {{.CreatedAt}} {{.CreatedBy}}",
            "sample")
        #expect(
            exact[2]
                == "\(image.layers[0].tar.count) 2020-01-01T00:00:00Z ADD rootfs.tar / with a long command behind it"
        )
        lamina.expectFailure(try lamina.run("history", "nobody"), code: 3, "nobody: no such image")
        lamina.expectFailure(try lamina.run("history"), code: 64)
    }

    @Test func historyOfAnImageWithout() throws {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        let lines = try lamina.lines("history", "sample")
        // A step for each layer, of which nothing else is known.
        #expect(lines.count == 3 && lines[1].contains("N/A") && lines[2].hasPrefix("<missing>"), "\(lines)")
    }
}
