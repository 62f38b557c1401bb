import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

/// A store on a filesystem of its own that is full to the last byte.
@Suite struct FullDiskTests {
    /// A store with an image that nobody needs, or with one that has a sandbox, on a full tmpfs.
    private func program(reserve: Bool, keepingImage: Bool = false) throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        try Descriptor.workingDirectory().makeDirectory(lamina.root, permissions: 0o700)
        let mounted = try CommandRun.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=40m,mode=700", "tmpfs", "\(lamina.root)"])
        #expect(mounted.exitCode == 0, "\(mounted)")
        try lamina.loadSample()
        if keepingImage {
            try lamina.lines("create", "--name", "kept", "sample")
        } else {
            try lamina.lines("rmi", "sample")
        }
        let root = try Descriptor.open(lamina.root, O_RDONLY | O_DIRECTORY)
        #expect(try root.status(of: "reserve").blocks * 512 >= 8 << 20)
        if !reserve { try root.removeFile("reserve") }
        let filler = try root.open("filler", O_WRONLY | O_CREAT, permissions: 0o600)
        for size in [1 << 20, 4096] {
            let bytes = [UInt8](repeating: 1, count: size)
            while (try? filler.writeAll(bytes)) != nil {}
        }
        return lamina
    }

    @Test func aPruneGivesTheReserveUp() throws {
        guard geteuid() == 0 else { return print("SKIPPED: mounting a tmpfs needs root") }
        let lamina = try program(reserve: true)
        // Nothing else works here.
        #expect(try lamina.run("load", "-q", "-i", "\(lamina.path("sample"))").exitCode != 0)
        let run = try lamina.run("prune", "-a")
        #expect(run.exitCode == 0, "\(run)")
        #expect(try lamina.storeFiles().allSatisfy { $0.hasPrefix("filler ") })
        let root = try Descriptor.open(lamina.root, O_RDONLY | O_DIRECTORY)
        #expect((try? root.status(of: "reserve")) == nil)
        // With something to prune and room there is one again, and df and owners know it.
        try root.removeFile("filler")
        try lamina.lines("prune")
        #expect((try? root.status(of: "reserve")) == nil)
        try lamina.lines("volume", "create", "data")
        try lamina.lines("prune")
        #expect(try root.status(of: "reserve").blocks * 512 >= 8 << 20)
        #expect(try lamina.lines("prune", "--explain", "reserve").joined().contains("full disk"))
        try lamina.lines("system", "df", "--verify")
        try lamina.loadSample()
    }

    @Test func imagesAndSandboxesGoFromAFullDisk() throws {
        guard geteuid() == 0 else { return print("SKIPPED: mounting a tmpfs needs root") }
        let lamina = try program(reserve: true, keepingImage: true)
        try lamina.lines("rm", "kept")
        try lamina.lines("rmi", "sample")
        try lamina.lines("prune", "-a", "-f")
        #expect(try lamina.storeFiles().allSatisfy { $0.hasPrefix("filler ") })
    }

    /// The tests above try something.
    @Test func withoutAReserveItFails() throws {
        guard geteuid() == 0 else { return print("SKIPPED: mounting a tmpfs needs root") }
        let lamina = try program(reserve: false)
        #expect(try lamina.run("prune", "-a").exitCode != 0)
    }
}
