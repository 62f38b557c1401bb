// `lamina stats` in its three formats, and what it refuses.

import Foundation
import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct StatsCommandTests {
    /// A store with the sandboxes `box`, mounted, and `other`, and the directory of `box`.
    private func program() throws -> (LaminaProgram, ByteString) {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("create", "sample", "--name", "box")
        let mountpoint = ByteString(try #require(try lamina.lines("mount", "box").first))
        try lamina.lines("create", "sample", "--name", "other")
        return (lamina, ByteString(mountpoint.bytes.dropLast(7)))
    }

    private func read(_ sandbox: ByteString) throws -> String {
        let file = try Descriptor.open(sandbox.appending("merged/etc/release"), O_RDONLY)
        return String(decoding: try file.readAll(limit: 4096), as: UTF8.self)
    }

    private func object(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func tables() throws {
        let (lamina, sandbox) = try program()
        #expect(try read(sandbox) == "two\n")
        let overview = try lamina.lines("stats")
        #expect(
            overview.count == 2 && overview[0].hasPrefix("SANDBOX ID ") && overview[0].contains("REQUESTS"))
        #expect(overview[1].contains("box"))
        let details = try lamina.lines("stats", "box")
        for word in ["Sandbox", "Mounted", "Server", "Opens", "Bytes", "Copy-ups", "In work", "REQUEST"] {
            #expect(details.contains { $0.hasPrefix(word) }, "\(word): \(details)")
        }
        #expect(details.contains { $0.hasPrefix("lookup ") } && details.last?.hasPrefix("all ") == true)
        try lamina.unmount("box")
        #expect(try lamina.lines("stats").count == 1)
    }

    @Test func json() throws {
        let (lamina, sandbox) = try program()
        #expect(try read(sandbox) == "two\n")
        let lines = try lamina.lines("stats", "--format", "json")
        #expect(lines.count == 1)
        #expect(try lamina.lines("stats", "--format", "json", "box").count == 1)
        let fields = try object(lines[0])
        #expect(fields["Name"] as? String == "box" && (fields["Process"] as? Int ?? 0) > 1)
        #expect((fields["ResidentBytes"] as? Int ?? 0) > 1 << 20)
        #expect(fields["CopyUps"] as? [String: Int] == ["Whole": 0, "ByBlock": 0, "Metadata": 0])
        let requests = try #require(fields["Requests"] as? [String: [String: Any]])
        let lookups = try #require(requests["lookup"])
        #expect((lookups["Count"] as? Int ?? 0) >= 2)
        #expect((lookups["Histogram"] as? [Int])?.count == 28)
        let inspected = try lamina.lines("inspect", "box").joined()
        let array = try JSONSerialization.jsonObject(with: Data(inspected.utf8)) as? [[String: Any]]
        let state = try #require(array?.first?["State"] as? [String: Any])
        #expect((state["Requests"] as? Int ?? 0) >= 2 && state["Opens"] is [String: Int])
        try lamina.unmount("box")
        #expect(try lamina.lines("stats", "--format", "json").isEmpty)
    }

    /// Each sample belongs to the metric that the lines above it describe, and buckets only grow.
    @Test func prometheus() throws {
        let (lamina, sandbox) = try program()
        try lamina.lines("mount", "other")
        #expect(try read(sandbox) == "two\n")
        let lines = try lamina.lines("stats", "--format", "prometheus")
        var metric = ""
        var seen: Set<String> = []
        var last: [String: Int] = [:]
        for line in lines {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE ") {
                metric = String(words[2])
                #expect(seen.insert(metric).inserted, "\(metric) twice")
            } else if !line.hasPrefix("#") {
                #expect(line.hasPrefix(metric) && words.count == 2 && Double(words[1]) != nil, "\(line)")
                let series = line.components(separatedBy: ",le=")
                if series.count == 2, let count = Int(words[1]) {
                    #expect(count >= last[series[0], default: 0], "\(line)")
                    last[series[0]] = count
                }
            }
        }
        #expect(lines.filter { $0.hasPrefix("lamina_copy_ups_total{") }.count == 6)
        #expect(
            lines.contains { $0.hasPrefix("lamina_requests_total{") && $0.contains("request=\"lookup\"") })
        #expect(!last.isEmpty)
        try lamina.unmount("box")
        try lamina.unmount("other")
    }

    @Test func refusesWhatIsNotMounted() throws {
        let (lamina, _) = try program()
        lamina.expectFailure(try lamina.run("stats", "other"), code: 1, "other: is not mounted")
        lamina.expectFailure(try lamina.run("stats", "nothing"), code: 3, "nothing: no such sandbox")
        lamina.expectFailure(try lamina.run("stats", "--format", "xml"), code: 64, "xml")
        // The others are shown all the same.
        let run = try lamina.run("stats", "--format", "json", "other", "box")
        #expect(run.exitCode == 1 && run.errorLines.count == 1 && run.lines.count == 1, "\(run)")
        try lamina.unmount("box")
    }

    /// Files that stand where the counters should be.
    @Test func refusesOtherFiles() throws {
        let (lamina, sandbox) = try program()
        let link = sandbox.appending("stats")
        let here = try Descriptor.workingDirectory()
        let whole = try Descriptor.open(link, O_RDONLY).readAll(limit: CounterFormat.fileSize)
        try here.removeFile(link)
        lamina.expectFailure(
            try lamina.run("stats", "box"), code: 1, "box: cannot read its server's counters")
        func refused(_ bytes: [UInt8], code: Int32, _ words: String) throws {
            let file = try Descriptor.open(link, O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o600)
            try file.writeAll(bytes)
            lamina.expectFailure(try lamina.run("stats", "box"), code: code, words)
            // Everything else works on.
            #expect(try lamina.lines("inspect", "box").contains { $0.contains("\"mounted\"") })
        }
        try refused([], code: 1, "cannot read")
        try refused(whole + [0], code: 1, "cannot read")
        try refused([UInt8](repeating: 0, count: whole.count), code: 2, "not a file of counters")
        var other = whole
        other[8] = 9
        try refused(other, code: 2, "version 9")
        other = whole
        other[20] = 1
        try refused(other, code: 2, "damaged counters")
        other = whole
        other[28] ^= 1
        try refused(other, code: 2, "another server")
        try here.removeFile(link)
        try here.makeNode(link, mode: FileType.fifo.rawValue | 0o600, device: .zero)
        lamina.expectFailure(try lamina.run("stats", "box"), code: 1, "cannot read")
        try here.removeFile(link)
        try here.makeSymlink(link, target: "/dev/zero")
        lamina.expectFailure(try lamina.run("stats", "box"), code: 1, "cannot read")
        try lamina.unmount("box")
    }
}
