// PowerCut owns what a test takes for a power cut: everything on disk says that another boot wrote it,
// and what was never synced is gone.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport

@testable import LaminaUnion

extension UnionFixture {
    private static let anotherBoot = [UInt8](repeating: 0x5A, count: 16)

    /// Files that wait for their settling.
    var unsettled: Int { union.upper.unsettled.count }

    /// Ends the process and the boot, and opens the sandbox again. A file that was not settled loses all
    /// but its first bytes, and its map.
    func powerCut() throws {
        try loseFiles(in: sandbox.appending("upper"))
        for name in maps {
            let map = try Descriptor.open(sandbox.appending("maps").appending(name), O_RDWR)
            if try map.status().size > 0 { try map.writeAll(Self.anotherBoot.raw, at: 32) }
        }
        try reopen(cleanly: false)
    }

    private func loseFiles(in directory: ByteString) throws {
        for entry in try Descriptor.open(directory, O_RDONLY | O_DIRECTORY).entries() {
            let path = directory.appending(entry.name)
            if entry.type == .directory { try loseFiles(in: path) }
            guard entry.type == .regular else { continue }
            let file = try Descriptor.open(path, O_RDWR)
            guard (try? file.extendedAttribute("trusted.lamina.fresh")) != nil else { continue }
            try file.setExtendedAttribute("trusted.lamina.fresh", Self.anotherBoot.raw)
            let before = try file.status()
            try file.truncate(to: min(before.size, 3))
            try file.setTimes(atime: .keep, mtime: .set(before.mtime))
            if let mark = try? file.extendedAttribute("trusted.lamina.blockmap").prefix(16) {
                let map = sandbox.appending("maps").appending(ByteString(mark))
                try Descriptor.open(map, O_RDWR).truncate(to: 0)
            }
        }
    }
}
