// WithoutRoot runs shell scripts as a user who is not root, on a store of his own.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// A home for the user of `Tools/support/without-root`, with an image of many owners to load.
struct WithoutRoot {
    enum User {
        case plain
        /// Root of a user namespace.
        case namespaceRoot
        case withoutFusermount
    }

    let home: TemporaryDirectory

    /// Whether this machine can become another user and mount; says so where it cannot.
    static let isPossible: Bool = {
        guard MountedSandbox.isPossible else { return false }
        for program in ["setpriv", "unshare", "newuidmap", "fusermount3", "getfattr", "python3"] {
            guard Spawn.locate(ByteString(program)) == nil else { continue }
            print("SKIPPED, NOT TESTED: what works without root: no \(program)")
            if CommandRun.environment("LAMINA_CI") != nil {
                preconditionFailure("CI must run the tests without root; \(program) is missing")
            }
            return false
        }
        return true
    }()

    init() throws {
        home = try TemporaryDirectory()
        let tar = Self.layer
        try TestImage([TestImage.Layer(tar)]).layout.write(to: home.path.appending("image"))
        let file = try home.descriptor.open("layer.tar", O_WRONLY | O_CREAT, permissions: 0o644)
        try file.writeAll(tar)
    }

    /// Files of root and others, some closed, of every type that needs no root to make.
    private static var layer: [UInt8] {
        var tar = TarBuilder()
        func add(
            _ name: String, _ mode: Int, _ text: String = "", owner: (Int, Int) = (0, 0),
            type: Character = "0", link: String = ""
        ) {
            tar.add(name, type: type, Array(text.utf8), link: link, mode: mode) { header in
                TarBuilder.put(TarBuilder.octal(owner.0, 7), in: &header, at: 108)
                TarBuilder.put(TarBuilder.octal(owner.1, 7), in: &header, at: 116)
            }
        }
        for (name, mode) in [("./", 0o755), ("etc/", 0o755), ("root/", 0o700), ("tmp/", 0o1777)] {
            add(name, mode, type: "5")
        }
        add("etc/passwd", 0o644, "root\n")
        add("etc/passwd2", 0o644, type: "1", link: "etc/passwd")
        add("etc/shadow", 0o640, "secret\n", owner: (0, 42))
        add("root/secret", 0o600, "secret\n")
        add("su", 0o4755, "su\n")
        add("closed", 0o0, "closed\n")
        add("home/", 0o755, type: "5")
        add("home/user/", 0o750, owner: (1000, 1000), type: "5")
        add("home/user/file", 0o600, "mine\n", owner: (1000, 1000))
        add("far", 0o644, "far\n", owner: (70_000, 70_000))
        add("big", 0o444, String(repeating: "big\n", count: 50_000))
        add("link", 0o777, type: "2", link: "etc/passwd")
        add("fifo", 0o600, type: "6")
        add("old/", 0o755, type: "5")
        for name in ["a", "b", "c"] { add("old/\(name)", 0o644, name) }
        tar.end()
        return tar.bytes
    }

    /// Runs a script of bash, which must say nothing but what its last line, `end`, says.
    func expectQuiet(
        _ user: User, _ script: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = try run(user, script)
        #expect(
            run.exitCode == 0 && run.output == "end\n" && run.errors.isEmpty, "\(run)",
            sourceLocation: sourceLocation)
    }

    func run(_ user: User, _ script: String) throws -> CommandRun {
        let options: [String] =
            switch user {
            case .plain: []
            case .namespaceRoot: ["--namespace"]
            case .withoutFusermount: ["--no-fusermount"]
            }
        return try CommandRun.run(
            Self.tools.appending("without-root"),
            options + ["\(home.path)", "bash", "-c", Self.prologue + script],
            environment: ["LAMINA": "\(try MountedSandbox.program("lamina"))", "SUPPORT": "\(Self.tools)"])
    }

    static var tools: ByteString {
        let components = ByteString(#filePath).components.dropLast(3)
        let root = components.reduce("/" as ByteString) { path, name in path.appending(name) }
        return root.appending("Tools/support")
    }

    /// `is A B`: equal. `no REASON COMMAND…`: fails, and says why. `names`: all of a tree.
    private static let prologue = """
        set -u
        lamina() { "$LAMINA" "$@"; }
        is() { [ "$1" = "$2" ] || echo "line ${BASH_LINENO[0]}: '$1' is not '$2'"; }
        no() {
            local reason=$1 said
            shift
            if said=$("$@" 2>&1); then echo "line ${BASH_LINENO[0]}: worked: $*"
            elif ! grep -qi "$reason" <<<"$said"; then echo "line ${BASH_LINENO[0]}: $*: $said"; fi
        }
        same() {
            local said
            said=$("$SUPPORT/compare-with-tar" "${@:2}" layer.tar "$1") || echo "$said"
        }
        owner() { stat -c '%u:%g %a' "$1"; }
        names() { (cd "$1" && find . -printf '%p %i %n %U:%G %m %y %s %T@ %l\\n' 2>/dev/null | sort); }
        umask 022

        """
}
