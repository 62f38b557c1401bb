import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Every verb, as the parser lists them, is run here once so that it succeeds and once so that it fails. A verb that
/// is added without a line in both tables fails. What a verb does beyond this has tests of its own.
@Suite(.enabled(if: canMountBoxes && !containerRuntimes.isEmpty)) struct EveryVerbTests {
    /// A command line (`$D` is the test's directory, `$L` a diffID, `$S` a store with programs), all of what it prints (standard errors, where progress goes, last), as a
    /// pattern, and a file that it makes. In an order in which each finds what it needs.
    private static let successes: [(words: String, output: String, makes: String?)] = [
        ("import $D/tree base", #"sha256:[0-9a-f]{64}\n"#, nil),
        ("images", #"IMAGE +ID +DISK USAGE +CONTENT SIZE +EXTRA\nbase:latest +[0-9a-f]{12} .*\n"#, nil),
        ("tag base again", "", nil),
        (
            "history base", #"IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n[0-9a-f]{12} .*Imported from .*\n"#,
            nil
        ),
        ("save base -o $D/saved.tar", "", "saved.tar"),
        ("load -i $D/saved.tar", #"Loaded image: base:latest\n[0-9a-f]{12}: Already exists\n"#, nil),
        ("verify base", "Verified: again:latest\n", nil),
        ("create base --name box", #"[0-9a-f]{64}\n"#, nil),
        ("mount box", #"/.*/merged\n"#, nil),
        ("ps", #"SANDBOX ID +IMAGE +CREATED +STATUS +MOUNTPOINT +NAME\n.* Mounted +/.*/merged +box\n"#, nil),
        ("stats", #"SANDBOX ID +NAME +REQUESTS .*\n[0-9a-f]{12} +box .*\n"#, nil),
        ("cp $D/tree/etc/release box:/new", #"Successfully copied 4B to box:/new\n"#, nil),
        ("diff box", "A /new\n", nil),
        ("export box -o $D/exported.tar", "", "exported.tar"),
        ("bundle box $D/bundle sh", "", "bundle/config.json"),
        ("commit box made", #"sha256:[0-9a-f]{64}\n"#, nil),
        ("umount box", "", nil),
        ("sandbox", #"OVERVIEW: (?s:.*)\n  materialize (?s:.*)"#, nil),
        ("sandbox materialize box", "box: 0 files filled\n", nil),
        ("rename box other", "", nil),
        ("inspect -f {{.Name}} other", "other\n", nil),
        ("redirect", #"OVERVIEW: (?s:.*)\n  add (?s:.*)"#, nil),
        ("redirect add other -v data:/data", "", nil),
        ("redirect ls other", #"TYPE +TARGET +MODE +SOURCE\nvolume +/data +rw +data\n"#, nil),
        ("redirect rm other /data", "", nil),
        ("layer", #"OVERVIEW: (?s:.*)\n  cat (?s:.*)"#, nil),
        ("layer ls", #"DIFF ID +TAR SIZE +ENTRIES +IMAGES\nsha256:.*\nsha256:.*\n"#, nil),
        ("layer inspect $L", #"(?s:.*)"DiffID" : "$L"(?s:.*)"#, nil),
        ("layer ls-files $L", "etc\netc/release\n", nil),
        ("layer cat $L -o $D/layer.tar", "", "layer.tar"),
        ("volume", #"OVERVIEW: (?s:.*)\n  create (?s:.*)"#, nil),
        ("volume create more", "more\n", nil),
        ("volume ls", #"DRIVER +VOLUME NAME\nlocal +data\nlocal +more\n"#, nil),
        ("volume inspect more", #"(?s:.*)"Name" : "more"(?s:.*)"#, nil),
        ("volume rm more", "more\n", nil),
        ("volume prune -f", "Total reclaimed space: 0B\n", nil),
        ("run --rm --root $S shell hostname", #"[0-9a-f]{12}\n"#, nil),
        ("stop other", "other\n", nil),
        ("system", #"OVERVIEW: (?s:.*)\n  df (?s:.*)"#, nil),
        ("system df", #"TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +2 +1 (?s:.*)"#, nil),
        ("fsck", "no problems\n", nil),
        ("scrub", "no problems\n", nil),
        ("recover", "", nil),
        ("info", #"Version: (?s:.*)\n Images: 2\n(?s:.*)"#, nil),
        ("version", #"lamina [0-9.]+\n"#, nil),
        ("rm other", "other\n", nil),
        ("rmi made", #"Untagged: made:latest\nDeleted: sha256:[0-9a-f]{64}\n"#, nil),
        ("prune -f", #"(?s:.*)Total reclaimed space: .*B\n"#, nil),
        ("", #"OVERVIEW: (?s:.*)"#, nil),
    ]

    /// A command line, its exit code, and what the one line on standard error says.
    private static let failures: [(words: String, code: Int32, message: String)] = [
        ("load -i $D/missing", 3, "missing: No such file or directory"),
        ("save missing -o $D/x", 3, "missing: no such image"),
        ("import $D/missing", 3, "missing: No such file"), ("images --format xml", 64, "xml"),
        ("tag missing new", 3, "missing: no such image"), ("rmi missing", 3, "missing: no such image"),
        ("history missing", 3, "missing: no such image"), ("commit missing", 3, "missing: no such sandbox"),
        ("verify missing", 3, "missing: no such image"), ("create missing", 3, "missing: no such image"),
        ("mount missing", 3, "missing: no such sandbox"), ("umount missing", 3, "missing: no such sandbox"),
        ("ps --format xml", 64, "xml"), ("run missing", 125, "missing: no such image"),
        ("stop missing", 3, "missing: no such sandbox"),
        ("bundle missing $D/x", 3, "missing: no such sandbox"),
        ("cp missing:/x $D/x", 3, "missing: no such sandbox"),
        ("diff missing", 3, "missing: no such sandbox"),
        ("export missing -o $D/x", 3, "missing: no such sandbox"),
        ("rename missing x1", 3, "missing: no such sandbox"),
        ("rm missing", 3, "missing: no such sandbox"), ("redirect nonsense", 64, "nonsense"),
        ("redirect add missing -v data:/data", 3, "missing: no such sandbox"),
        ("redirect ls missing", 3, "missing: no such sandbox"),
        ("redirect rm missing /data", 3, "missing: no such sandbox"),
        ("stats missing", 3, "missing: no such sandbox"),
        ("sandbox nonsense", 64, "nonsense"), ("sandbox materialize missing", 3, "missing: no such sandbox"),
        ("layer nonsense", 64, "nonsense"), ("layer ls nonsense", 64, "nonsense"),
        ("layer ls-files missing", 3, "missing: no such layer"),
        ("layer cat missing", 3, "missing: no such layer"),
        ("volume nonsense", 64, "nonsense"), ("volume create x", 2, "x: volume name is too short"),
        ("volume ls --format xml", 64, "xml"), ("volume rm missing", 3, "missing: no such volume"),
        ("volume prune --filter nonsense=x", 64, "nonsense"), ("prune nonsense", 64, "nonsense: is none of"),
        ("system nonsense", 64, "nonsense"), ("system df --format {{.Nope}}", 64, ".Nope"),
        ("fsck nonsense", 64, "nonsense"),
        ("scrub nonsense", 64, "nonsense"), ("recover nonsense", 64, "nonsense"),
        ("info -f {{.Nope}}", 64, ".Nope"), ("version -f {{.Nope}}", 64, ".Nope"),
        ("nonsense", 64, "nonsense"),
        ("inspect missing", 3, "missing: no such"), ("layer inspect missing", 3, "missing: no such layer"),
        ("volume inspect missing", 3, "missing: no such volume"),
    ]

    /// The verbs below `lamina`, with spaces between; the empty one is the command itself.
    private static func verbs() throws -> Set<String> {
        let lines = try LaminaProgram().lines("documentation")
        let titles = lines.filter { $0.hasPrefix("## lamina") }.map {
            String($0.dropFirst(9).drop { $0 == " " })
        }
        #expect(titles.count > 40)
        return Set(titles)
    }

    /// The longest verb that a command line begins with.
    private static func verb(of words: String, _ verbs: Set<String>) -> String {
        verbs.filter { words == $0 || words.hasPrefix($0 + " ") }.max { $0.count < $1.count } ?? ""
    }

    private func words(_ text: String, _ lamina: LaminaProgram, layer: String = "", store: String = "")
        -> [String]
    {
        text.split(separator: " ").map {
            String($0).replacing("$D", with: "\(lamina.directory.path)").replacing("$L", with: layer)
                .replacing("$S", with: store)
        }
    }

    @Test func eachHasAnOutput() throws {
        let verbs = try Self.verbs()
        #expect(Set(Self.successes.map { Self.verb(of: $0.words, verbs) }) == verbs)
        let lamina = try LaminaProgram()
        let tree = lamina.path("tree")
        try Descriptor.workingDirectory().makeDirectories(tree.appending("etc"))
        try Descriptor.open(tree.appending("etc/release"), O_WRONLY | O_CREAT, permissions: 0o644)
            .writeAll(Array("one\n".utf8))
        let other = try LaminaProgram()
        try other.importShell()
        let path = ["PATH": try other.runtimePath()]
        var layer = ""
        for (text, output, made) in Self.successes {
            if text == "umount box" {
                try lamina.unmount("box")
                continue
            }
            let run = try lamina.run(
                words(text, lamina, layer: layer, store: "\(other.root)"), environment: path)
            #expect(run.exitCode == 0, "\(text): \(run)")
            let pattern = try Regex(output.replacing("$L", with: layer))
            #expect((run.output + run.errors).wholeMatch(of: pattern) != nil, "\(text): \(run)")
            if let made { #expect((try? FileStatus.of(lamina.path(made))) != nil, "\(text): \(made)") }
            if layer.isEmpty, let image = try lamina.lines("images", "-q", "--no-trunc").first {
                layer = try lamina.lines("inspect", "-f", "{{join .RootFS.Layers \" \"}}", image).first ?? ""
            }
        }
        #expect(try MountTable.entries().allSatisfy { !$0.mountpoint.hasPrefix(lamina.directory.path) })
    }

    @Test func eachHasAFailure() throws {
        let verbs = try Self.verbs()
        #expect(Set(Self.failures.map { Self.verb(of: $0.words, verbs) }) == verbs)
        let lamina = try LaminaProgram()
        for (text, code, message) in Self.failures {
            let run = try lamina.run(words(text, lamina))
            #expect(run.exitCode == code, "\(text): \(run)")
            #expect(run.errorLines.count == 1 && run.errors.hasPrefix("lamina: "), "\(text): \(run)")
            #expect(run.errors.contains(message), "\(text): \(run)")
            // Docker's inspect prints an empty list beside its error.
            #expect(run.output == (text.contains("inspect") ? "[]\n" : ""), "\(text): \(run)")
        }
    }
}
