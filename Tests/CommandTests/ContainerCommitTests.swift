import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Containers that install a package and write, and are committed all the while.
@Suite(.serialized, .enabled(if: !containerRuntimes.isEmpty)) struct ContainerCommitTests {
    /// How many commits one after the other; `LAMINA_TEST_COMMITS=100` is the whole.
    private static let commits = CommandRun.environment("LAMINA_TEST_COMMITS").flatMap { Int($0) } ?? 8

    /// An image with dpkg and Perl, a large file, and the writer; as `shell:latest`. And a package beside it.
    private func program() throws -> (lamina: LaminaProgram, packages: String) {
        let lamina = try LaminaProgram()
        let made = try CommandRun.run(
            "/bin/bash",
            [
                "-ec",
                #"""
                mkdir -p "$0"/tree/{w-programs,usr/share,var/lib/dpkg/{info,updates,triggers}} "$0"/tree/{var/log,proc,dev,sys,bin}
                touch "$0"/tree/var/lib/dpkg/{status,available}
                yes image678 | tr -d '\n' | head -c 3145728 > "$0"/tree/big
                mkdir -p "$0"/package/{DEBIAN,bin,usr/share/tool}
                printf 'Package: tool\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a tool\n' \
                    > "$0"/package/DEBIAN/control
                printf '#!/bin/sh\nset -e\ncat /usr/share/tool/data > /etc/tool.conf\n' > "$0"/package/DEBIAN/postinst
                printf '#!/bin/sh\necho tool runs: $(cat /etc/tool.conf)\n' > "$0"/package/bin/tool
                echo configured > "$0"/package/usr/share/tool/data
                chmod 755 "$0"/package/DEBIAN/postinst "$0"/package/bin/tool
                mkdir -p "$0"/packages; dpkg-deb -Zgzip --root-owner-group --build "$0"/package "$0"/packages/tool.deb >/dev/null
                """#, "\(lamina.directory.path)",
            ])
        #expect(made.exitCode == 0, "\(made)")
        _ = try lamina.file(Array(ContainerScripts.writer.utf8), named: "tree/w-programs/writer")
        _ = try lamina.file(Array(ContainerScripts.orderedWriter.utf8), named: "tree/w-programs/ordered")
        _ = try lamina.file(Array(ContainerScripts.orderedReader.utf8), named: "tree/w-programs/read")
        _ = try lamina.file(Array(ContainerScripts.checker.utf8), named: "checker")
        try lamina.importShell(tools: ContainerScripts.tools)
        return (lamina, "\(lamina.path("packages"))")
    }

    private func waitFor(_ path: String, in name: String, _ lamina: LaminaProgram) throws -> ByteString {
        let place = try #require(
            try lamina.lines("ps", "-f", "name=\(name)", "--format", "{{.Mountpoint}}").first)
        for _ in 0..<6_000 {
            if (try? FileStatus.of(ByteString(place).appending(ByteString(path)))) != nil {
                return ByteString(place)
            }
            usleep(10_000)
        }
        Issue.record("\(path) does not come")
        return ByteString(place)
    }

    @Test func packagesWritersAndCommits() throws {
        let (lamina, packages) = try program()
        // fsync(2) by its number, since no module of Perl is there.
        let sync = "SYNC=\(CommandRun.machine == "aarch64" ? 82 : 74)"
        let run = try lamina.run(
            "run", "-d", "--name", "box", "-e", sync, "-v", "\(packages):/packages:ro", "shell", "sh", "-ec",
            "dpkg -i /packages/tool.deb; exec perl /w-programs/writer")
        #expect(run.exitCode == 0, "\(run)")
        _ = try waitFor("w/ready", in: "box", lamina)
        var records: [Int] = []
        for number in 0..<Self.commits {
            let codec = ["zstd", "none", "lz4", "gzip"][number % 4]
            try lamina.lines("commit", "--compression", codec, "box", "made:\(number)")
            try lamina.lines("create", "made:\(number)", "--name", "copy")
            let place = try #require(try lamina.lines("mount", "copy").first)
            let check = try CommandRun.run("/usr/bin/perl", ["\(lamina.path("checker"))", place])
            #expect(check.exitCode == 0 && check.lines.count == 1, "commit \(number): \(check)")
            let count = try #require(
                check.lines.first.flatMap { $0.hasPrefix("records ") ? Int($0.dropFirst(8)) : nil },
                "\(check)")
            records.append(count)
            try lamina.unmount("copy")
            try lamina.lines("rm", "copy")
        }
        print("records in each of \(Self.commits) commits: \(records)")
        // The writer went on all the while, and is still at it.
        #expect(records == records.sorted() && records.first != records.last)
        #expect(try lamina.lines("ps", "-f", "status=running", "--format", "{{.Names}}") == ["box"])
        #expect(try lamina.lines("diff", "box").contains("A /w"))
        #expect(try lamina.lines("stop", "-t", "0", "box") == ["box"])
        let again = try lamina.run("run", "--rm", "made:\(Self.commits - 1)", "/bin/tool")
        #expect(again.exitCode == 0 && again.lines == ["tool runs: configured"], "\(again)")
        let query = try lamina.run(
            "run", "--rm", "made:0", "sh", "-c", "dpkg --verify tool; dpkg-query -W -f '${Status}' tool")
        #expect(query.exitCode == 0 && query.lines == ["install ok installed"], "\(query)")
        #expect(try lamina.run("verify").exitCode == 0)
    }

    /// With `--pause` large files, too, are as they were when one instruction followed the other.
    @Test(arguments: containerRuntimes) func pausedCommitsAreOfOneInstant(_ runtime: String) throws {
        let (lamina, _) = try program()
        let run = try lamina.contained(
            "run", "-d", "--name", "box", "--runtime", runtime, "shell", "perl", "/w-programs/ordered")
        #expect(run.exitCode == 0, "\(run)")
        _ = try waitFor("ready", in: "box", lamina)
        for number in 0..<4 {
            usleep(100_000)
            let commit = try lamina.contained(
                "commit", "--pause", "--compression", "none", "box", "made:\(number)")
            #expect(commit.exitCode == 0, "\(commit)")
            let read = try lamina.run("run", "--rm", "made:\(number)", "perl", "/w-programs/read")
            #expect(read.exitCode == 0 && read.lines == ["one instant"], "\(read)")
        }
        #expect(try lamina.contained("stop", "-t", "0", "box").lines == ["box"])
    }
}
