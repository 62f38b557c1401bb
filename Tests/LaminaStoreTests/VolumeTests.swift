import Glibc
import LaminaCore
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

@Suite struct VolumeTests {
    /// A store with the directories of these volumes.
    private func store(_ directory: TemporaryDirectory, _ names: String...) throws -> Store {
        let store = try Store(at: directory.path)
        let staged = try store.stageVolumes(names)
        for name in names { try staged.place(name) }
        return store
    }

    private func write(_ bytes: Int, to path: String, in store: Store) throws {
        let file = try store.root.open(
            ByteString("volumes/\(path)"), O_WRONLY | O_CREAT | O_EXCL, permissions: 0o600)
        try file.writeAll([UInt8](repeating: 1, count: bytes))
        try file.sync()
    }

    private func names(in room: ByteString, of store: Store) throws -> [String] {
        try store.root.openDirectory(room).entries().map { "\($0.name)" }.sorted()
    }

    @Test func aNewVolumeIsAnEmptyDirectory() throws {
        let directory = try TemporaryDirectory()
        let store = try store(directory, "data", "more")
        #expect(try names(in: "volumes", of: store) == ["data", "more"])
        #expect(try names(in: "volumes/data", of: store) == ["_data"])
        #expect(try names(in: "ingest", of: store) == [])
        #expect(try store.root.status(of: "volumes").mode & 0o7777 == 0o700)
        #expect(try store.root.status(of: "volumes/more").mode & 0o7777 == 0o700)
        #expect(try store.root.status(of: "volumes/more/_data").mode & 0o7777 == 0o755)
    }

    @Test func whatIsNotPlacedGoes() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(at: directory.path)
        do {
            let staged = try store.stageVolumes(["one", "two"])
            try staged.place("one")
            #expect(throws: Errno.noSuchFileOrDirectory) { try staged.place("three") }
        }
        #expect(try names(in: "volumes", of: store) == ["one"])
        #expect(try names(in: "ingest", of: store) == [])
    }

    /// A crash leaves an empty directory; one that holds something is not ours to take.
    @Test func anEmptyDirectoryGivesWay() throws {
        let directory = try TemporaryDirectory()
        let store = try store(directory, "data")
        try store.root.setPermissions(of: "volumes/data/_data", 0o700)
        try store.stageVolumes(["data"]).place("data")
        #expect(try store.root.status(of: "volumes/data/_data").mode & 0o7777 == 0o755)
        try write(10, to: "data/_data/file", in: store)
        #expect(throws: Errno.directoryNotEmpty) { try store.stageVolumes(["data"]).place("data") }
        #expect(try names(in: "volumes/data/_data", of: store) == ["file"])
    }

    @Test func aDiscardedVolumeGoesOrComesBack() throws {
        let directory = try TemporaryDirectory()
        let store = try store(directory, "data")
        try write(10, to: "data/_data/file", in: store)
        do {
            let discarded = try store.discardVolume()
            try discarded.take("data")
            #expect(try names(in: "volumes", of: store) == [])
            discarded.giveBack("data")
        }
        #expect(try names(in: "volumes/data/_data", of: store) == ["file"])
        let discarded = try store.discardVolume()
        try discarded.take("data")
        try discarded.remove()
        #expect(try names(in: "volumes", of: store) == [])
        #expect(try names(in: "ingest", of: store) == [])
        // Nothing to take is no error: its data was lost before.
        let again = try store.discardVolume()
        try again.take("data")
        try again.remove()
    }

    @Test func measuresEachFileOnce() throws {
        let directory = try TemporaryDirectory()
        let store = try store(directory, "data")
        #expect(try store.volumeDiskSize("data") == 0)
        #expect(try store.volumeDiskSize("none") == 0)
        try store.root.makeDirectory("volumes/data/_data/below", permissions: 0o700)
        try write(100_000, to: "data/_data/below/file", in: store)
        let size = try store.volumeDiskSize("data")
        let file = try store.root.status(of: "volumes/data/_data/below/file")
        let below = try store.root.status(of: "volumes/data/_data/below")
        #expect(size == (file.blocks + below.blocks) * 512 && size >= 100_000)
        let data = try store.root.openDirectory("volumes/data/_data")
        try data.link("below/file", to: data, "again")
        #expect(try store.volumeDiskSize("data") == size)
    }

    @Test func findsEmptyDirectoriesOnly() throws {
        let directory = try TemporaryDirectory()
        let store = try store(directory, "empty", "full", "known")
        try write(1, to: "full/_data/file", in: store)
        try store.root.makeDirectories("volumes/odd/other")
        try store.root.makeDirectories("volumes/bare")
        #expect(try store.emptyVolumes(except: ["known"], remove: false) == ["bare", "empty"])
        #expect(try store.emptyVolumes(except: ["known"], remove: true) == ["bare", "empty"])
        #expect(try names(in: "volumes", of: store) == ["full", "known", "odd"])
        #expect(try Store(at: TemporaryDirectory().path).emptyVolumes(except: [], remove: true) == [])
    }
}
