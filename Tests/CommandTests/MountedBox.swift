import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// Whether this machine can mount; says so where it cannot.
let canMountBoxes: Bool = {
    let can = geteuid() == 0 && (try? Descriptor.open("/dev/fuse", O_RDWR)) != nil
    if !can { print("SKIPPED: tests of diff, commit, export and cp on mounts need root and /dev/fuse") }
    return can
}()

extension LaminaProgram {
    /// Loads an image of one layer that holds a little of everything, as `base:latest`.
    func loadBase() throws {
        try lines("load", "-q", "-i", layout(TestImage([.init(Self.base)]).layout, named: "base"))
    }

    static let base: [UInt8] = {
        var tar = TarBuilder()
        tar.add("./", type: "5", mode: 0o755)
        for directory in ["etc/", "opt/", "opt/deep/", "opt/deep/er/", "var/"] {
            tar.add(directory, type: "5", mode: 0o755)
        }
        tar.add("etc/release", Array("one\n".utf8))
        tar.add("etc/gone", Array("gone\n".utf8))
        tar.add("etc/kept", Array("kept\n".utf8))
        tar.add("etc/twin", type: "1", link: "etc/kept")
        tar.add("opt/deep/file", Array("deep\n".utf8))
        tar.add("opt/deep/er/file", Array("deeper\n".utf8))
        tar.add("var/big", noise(3 << 20, seed: 5))
        tar.add("var/link", type: "2", link: "../etc/release")
        tar.end()
        return tar.bytes
    }()

    /// Mounts a sandbox, runs a shell script in it, and unmounts it.
    func change(_ name: String, _ script: String) throws {
        let mountpoint = try #require(try lines("mount", name).first)
        let run = try CommandRun.run("/bin/bash", ["-ec", "cd '\(mountpoint)'; \(script)"])
        #expect(run.exitCode == 0, "\(run)")
        try unmount(name)
    }

    /// What a shell script prints in a mounted sandbox.
    func look(_ name: String, _ script: String) throws -> [String] {
        let mountpoint = try #require(try lines("mount", name).first)
        let run = try CommandRun.run("/bin/bash", ["-ec", "cd '\(mountpoint)'; \(script)"])
        #expect(run.exitCode == 0, "\(run)")
        try unmount(name)
        return run.lines
    }
}
