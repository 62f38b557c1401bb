// A sandbox's changes, beside the system calls that they cannot do without.

import Benchmark
import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

private let count = 1000

func changes() throws {
    let names = sortedNames(count)
    let scratch = try Scratch("changes")
    let union = try scratch.union(of: [try scratch.layer("layer", of: names)])
    let beside = try Scratch("changes-control")
    let creation = Creation(permissions: 0o644, uid: 0, gid: 0)
    compared("union: create and remove \(count) files") {
        for name in names {
            let new = name + ByteString(".new")
            let (made, _) = try union.createFile(new, in: .root, creation, flags: O_RDWR)
            try union.removeFile(new, in: .root)
            union.forget(made.id, count: 1)
        }
        withExtendedLifetime(scratch) {}
    } control: {
        let room = try beside.directory()
        for name in names {
            _ = try room.open(name, O_RDWR | O_CREAT | O_EXCL, permissions: 0o644)
            try room.removeFile(name)
        }
    }
}
