// What sandboxes take on disk, which only a walk can say: containers write past the catalogue.

import Glibc
import LaminaCore
import LaminaStore
import LaminaSystem

extension Engine {
    /// Bytes on disk of a sandbox's directory with everything in it. O(files).
    func sandboxDiskSize(_ sandbox: Sandbox) throws(LaminaError) -> Int64 {
        try Self.system(sandbox.directory) { () throws(Errno) in
            try store.diskSize(of: ByteString("sandboxes/\(sandbox.id)"))
        }
    }

    /// Directories that no sandbox has, but for those of a server that is still alive.
    func lostSandboxes(except known: Set<String>) throws(Errno) -> [(id: String, size: Int64)] {
        let directory: Descriptor
        do throws(Errno) {
            directory = try store.root.openDirectory("sandboxes")
        } catch Errno.noSuchFileOrDirectory {
            return []
        }
        var result: [(id: String, size: Int64)] = []
        for entry in try directory.entries() where !known.contains("\(entry.name)") {
            let path = ByteString("sandboxes").appending(entry.name)
            if MountServer.isAlive(in: root.appending(path)) { continue }
            result.append(("\(entry.name)", try store.diskSize(of: path)))
        }
        return result
    }
}
