import Glibc
import LaminaCore
import LaminaSystem
import Synchronization
import Testing

@Suite struct DescriptorTests {
    @Test func writesReadsAndRemoves() throws {
        try withTemporaryDirectory { directory in
            let file = try directory.open("f", O_RDWR | O_CREAT | O_EXCL, permissions: 0o600)
            try file.writeAll(Array("hello".utf8))
            #expect(try file.readBytes(at: 1, count: 100) == Array("ello".utf8))
            #expect(throws: Errno.fileTooLarge) { try file.readAll(limit: 4) }
            #expect(try directory.status(of: "f").size == 5)
            try directory.makeDirectories("a/b/c")
            try directory.openDirectory("a/b").makeSymlink("l", target: "/etc")
            #expect(try directory.readLink("a/b/l") == "/etc")
            #expect(try directory.entries().map(\.name).sorted() == ["a", "f"])
            try directory.removeTree("a")
            try directory.removeTree("nothing")
            #expect(try directory.entries().map(\.name) == ["f"])
        }
    }

    /// The kernel gives up on a `..` while anything is renamed on the machine.
    @Test func renamesElsewhereDisturbNobody() throws {
        try withTemporaryDirectory { directory in
            try directory.makeDirectory("a", permissions: 0o700)
            _ = try directory.open("f", O_RDWR | O_CREAT, permissions: 0o600)
            _ = try directory.open("x", O_RDWR | O_CREAT, permissions: 0o600)
            let renaming = Renaming(try directory.duplicate())
            let renamer = try Worker(renaming) { renaming in renaming.run() }
            var failures = 0
            for _ in 0..<20_000 {
                if (try? directory.open("a/../a/../f", OpenFlag.path, resolve: Resolve.inRoot)) == nil {
                    failures += 1
                }
            }
            renaming.isEnding.store(true, ordering: .relaxed)
            renamer.join()
            #expect(failures == 0)
        }
    }

    private final class Renaming: Sendable {
        let directory: SharedDescriptor
        let isEnding = Atomic<Bool>(false)

        init(_ directory: consuming Descriptor) { self.directory = SharedDescriptor(directory) }

        func run() {
            while !isEnding.load(ordering: .relaxed) {
                try? directory.descriptor.rename("x", to: directory.descriptor, "y")
                try? directory.descriptor.rename("y", to: directory.descriptor, "x")
            }
        }
    }

    @Test func extendedAttributes() throws {
        try withTemporaryDirectory { directory in
            let file = try directory.open("f", O_RDWR | O_CREAT, permissions: 0o600)
            let large = [UInt8](repeating: 7, count: 1000)
            try file.setExtendedAttribute("user.large", large.raw)
            #expect(try file.extendedAttribute("user.large") == large)
            #expect(try file.extendedAttributeNames().contains("user.large"))
            try file.removeExtendedAttribute("user.large")
            #expect(throws: Errno(rawValue: ENODATA)) { try file.extendedAttribute("user.large") }
        }
    }

    @Test func mapsAFile() throws {
        try withTemporaryDirectory { directory in
            let file = try directory.open("f", O_RDWR | O_CREAT, permissions: 0o600)
            #expect(throws: Errno.invalidArgument) { _ = try MappedFile(file) }
            try file.writeAll([1, 2, 3])
            let mapped = try MappedFile(file)
            #expect(mapped.bytes.byteCount == 3)
        }
    }
}

/// Runs `body` with a fresh directory that is removed afterwards.
func withTemporaryDirectory(_ body: (borrowing Descriptor) throws -> Void) throws {
    let name = ByteString("/tmp/lamina-test-\(getpid())-\(UInt32.random(in: 0 ... .max))")
    let root = try Descriptor.open("/", O_RDONLY | O_DIRECTORY)
    try root.makeDirectory(name, permissions: 0o700)
    let directory = try root.openDirectory(name)
    defer { try? root.removeTree(name) }
    try body(directory)
}
