import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// The runtimes of this machine, so that one of them can be told to be used. Says so where there is none.
let containerRuntimes: [String] = {
    let names = ["runc", "crun"].filter { Spawn.locate(ByteString($0)) != nil }
    for name in ["runc", "crun"] where !names.contains(name) {
        print("SKIPPED, NOT TESTED: lamina run through \(name), which is not here")
    }
    if !canMountBoxes { print("SKIPPED, NOT TESTED: lamina run needs root and /dev/fuse") }
    if CommandRun.environment("LAMINA_CI") != nil, names.isEmpty || !canMountBoxes {
        preconditionFailure("CI must run the tests of containers; runc and crun are missing")
    }
    return canMountBoxes ? names : []
}()

extension CommandRun {
    /// The processor's name, as `uname -m` says it.
    static let machine = (try? CommandRun.run("/bin/uname", ["-m"]).lines.first) ?? ""
}

extension LaminaProgram {
    /// Runs a verb with runtimes that work on a machine with cgroups of both versions, which crun refuses: in a mount
    /// namespace in which one of them is not to be seen.
    func contained(_ arguments: String...) throws -> CommandRun {
        try run(arguments, environment: ["PATH": try runtimePath()])
    }

    func runtimePath() throws -> String {
        let directory = path("runtimes")
        if (try? FileStatus.of(directory)) == nil {
            try Descriptor.workingDirectory().makeDirectory(directory, permissions: 0o755)
            let script = """
                #!/bin/sh
                exec unshare -m sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"' sh /usr/bin/crun "$@"
                """
            let file = try Descriptor.open(
                directory.appending("crun"), O_WRONLY | O_CREAT, permissions: 0o755)
            try file.writeAll(Array(script.utf8))
        }
        return "\(directory):/usr/sbin:/usr/bin:/sbin:/bin"
    }

    /// Imports an image of what a shell of this machine needs and some tools, as `shell:latest`.
    func importShell(tools: String = "") throws {
        let made = try CommandRun.run(
            "/bin/bash",
            [
                "-ec",
                #"""
                mkdir -p "$0"; cd "$0"; mkdir -p bin etc proc dev sys tmp lib64 home/ann var/log
                for tool in sh cat id ls hostname sleep env tty mv rm sync $1; do
                    file=$(readlink -f "$(type -P $tool)"); cp "$file" bin/$tool
                    ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
                        mkdir -p ".$(dirname "$library")"; cp -L "$library" ".$library"; done
                done
                echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd; echo 'ann:x:1000:100:Ann:/home/ann:/bin/sh' >> etc/passwd
                printf 'root:x:0:\nusers:x:100:\nextra:x:300:bob,ann\n' > etc/group
                """#, "\(path("tree"))", tools,
            ])
        #expect(made.exitCode == 0, "\(made)")
        try lines(
            "import", "-c", "ENV A=image B=image", "-c",
            "CMD [\"/bin/sh\",\"-c\",\"echo $A $B $HOME; exit 3\"]",
            "\(path("tree"))", "shell")
    }
}
