// The guard behind the guard: objects on a private read-only mount, which the kernel itself does
// not open for writing, whatever a server says.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite(.enabled(if: MountedSandbox.isPossible)) struct ObjectGuardTests {
    private static let text = [UInt8](repeating: 0x6F, count: 100_000)

    private func store() throws -> TemporaryDirectory {
        let store = try TemporaryDirectory()
        try store.descriptor.makeDirectory("objects", permissions: 0o755)
        try store.descriptor.open("objects/object", O_WRONLY | O_CREAT, permissions: 0o444).writeAll(
            Self.text)
        return store
    }

    @Test func refusesToOpenForWriting() throws {
        let store = try store()
        let tree = try store.descriptor.readOnlyMount(of: "objects")
        #expect(try tree.open("object", O_RDONLY).readAll(limit: 1 << 20) == Self.text)
        for flags in [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC] {
            #expect(throws: Errno.readOnlyFileSystem) { _ = try tree.open("object", flags) }
        }
        // It is the mount that is read-only and not the store.
        try store.descriptor.open("objects/other", O_WRONLY | O_CREAT, permissions: 0o644).writeAll([1])
        #expect(try tree.open("other", O_RDONLY).readAll(limit: 9) == [1])
    }

    /// A server that hands the object to a writer: the open fails. Without the guard it would not.
    @Test(arguments: [true, false])
    func aCarelessServerDoesNoHarm(_ isGuarded: Bool) throws {
        let store = try store()
        let object =
            isGuarded
            ? try store.descriptor.readOnlyMount(of: "objects").open("object", O_RDONLY)
            : try store.descriptor.open("objects/object", O_RDONLY)
        let server = try CarelessServer(object, size: Int64(Self.text.count))
        #expect(try Descriptor.open(server.file, O_RDONLY).readAll(limit: 1 << 20) == Self.text)
        if isGuarded {
            for flags in [O_RDWR, O_WRONLY] {
                #expect(throws: Errno.ioError) { _ = try Descriptor.open(server.file, flags) }
            }
        } else {
            let file = try Descriptor.open(server.file, O_RDWR)
            try file.writeThroughMapping(at: 5, of: 4096)
        }
        let now = try store.descriptor.open("objects/object", O_RDONLY).readAll(limit: 1 << 20)
        #expect((now == Self.text) == isGuarded)
    }
}
