// `lamina mount --uidmap --gidmap` by root: ids are translated at the mount, and stored as the image has them.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct IdentityMapCommandTests {
    private func program() throws -> LaminaProgram {
        let lamina = try LaminaProgram()
        try lamina.loadSample()
        try lamina.lines("create", "sample", "--name", "box")
        return lamina
    }

    private func owner(_ path: ByteString) throws -> [UInt32] {
        let status = try FileStatus.of(path)
        return [status.uid, status.gid]
    }

    @Test func translatesBothWays() throws {
        let lamina = try program()
        // The sample's files belong to 1000:100.
        let mountpoint = ByteString(
            try #require(
                try lamina.lines(
                    "mount", "--uidmap", "0:0:10,1000:50000:2", "--gidmap", "100:60000:1,0:0:1", "box"
                ).first))
        #expect(try owner(mountpoint.appending("big")) == [50_000, 60_000])
        try changeOwners(below: mountpoint)
        let upper = ByteString(mountpoint.bytes.dropLast(6)).appending("upper")
        #expect(try owner(upper.appending("new")) == [1001, 100])
        #expect(try owner(upper.appending("big")) == [9, 100])
        try lamina.unmount("box")
        try lamina.lines("mount", "--uidmap", "1000:1:1", "box")
        #expect(try owner(mountpoint.appending("new")) == [65_534, 100])
        #expect(try owner(mountpoint.appending("link")) == [1, 100])
        try refuseWhomTheImageLacks(below: mountpoint)
        try lamina.lines("rm", "--force", "box")
    }

    private func changeOwners(below mountpoint: ByteString) throws {
        let top = try Descriptor.open(mountpoint, O_RDONLY | O_DIRECTORY)
        _ = try top.open("new", O_WRONLY | O_CREAT, permissions: 0o644)
        #expect(try owner(mountpoint.appending("new")) == [0, 0])
        try top.setOwner(of: "new", uid: 50_001, gid: 60_000)
        #expect(try owner(mountpoint.appending("new")) == [50_001, 60_000])
        #expect(throws: Errno.invalidArgument) { try top.setOwner(of: "new", uid: 1000, gid: .max) }
        #expect(throws: Errno.invalidArgument) { try top.setOwner(of: "new", uid: .max, gid: 1) }
        try top.setOwner(of: "big", uid: 9, gid: .max)
    }

    private func refuseWhomTheImageLacks(below mountpoint: ByteString) throws {
        let top = try Descriptor.open(mountpoint, O_RDONLY | O_DIRECTORY)
        #expect(throws: Errno.invalidArgument) { try top.makeDirectory("d", permissions: 0o755) }
        #expect(throws: Errno.invalidArgument) { try top.makeSymlink("s", target: "t") }
        #expect(throws: Errno.invalidArgument) {
            _ = try top.open("f", O_WRONLY | O_CREAT, permissions: 0o644)
        }
    }

    @Test(arguments: ["", "1:2", "1:2:0", "1:2:3:4", "0:0:2,1:5:1", "0:5:1,9:5:1", "a:0:1", "0:4294967295:1"])
    func refusesWhatIsNoMap(_ text: String) throws {
        let lamina = try program()
        let run = try lamina.run("mount", "--uidmap", text, "box")
        #expect(run.exitCode == 64 && run.errors.contains("--uidmap"), "\(run)")
        #expect(try lamina.lines("ps", "-q").isEmpty)
    }
}
