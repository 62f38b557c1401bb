// Reading one big file: from start to end, about at random, through a mapping. The clock holds the open too, as a
// program's would.

import Glibc
import LaminaSystem

/// Opens a file of the tree; -1 when that fails.
func openFile(_ path: String, _ flags: Int32) -> Int32 {
    // SAFETY: the path is alive during the call.
    unsafe open(path, flags, 0o644)
}

private func size(of file: Int32) -> Int {
    Int(lseek(file, 0, SEEK_END))
}

/// Opens `path` and calls `body` with the descriptor and the size.
private func withFile(_ path: String, _ body: (inout Tally, Int32, Int) -> Void) -> Tally {
    var tally = Tally()
    let file = openFile(path, O_RDONLY)
    guard file >= 0 else {
        tally.fail()
        return tally
    }
    body(&tally, file, size(of: file))
    close(file)
    return tally
}

func readSequentially(_ path: String, block: Int, _ part: Part) -> Tally {
    withFile(path) { tally, file, size in
        let range = part.range(of: size, unit: block)
        unsafe withBuffer(block) { buffer in
            var position = range.lowerBound
            while position < range.upperBound {
                // SAFETY: the kernel writes within the buffer.
                let got = unsafe pread(file, buffer.baseAddress, buffer.count, position)
                guard got > 0 else { return tally.fail() }
                position += got
                tally.bytes += got
                tally.operations += 1
            }
        }
    }
}

func readRandomly(_ path: String, count: Int, _ part: Part) -> Tally {
    withFile(path) { tally, file, size in
        var random = XorShift(seed: part.index)
        unsafe withBuffer(4096) { buffer in
            for _ in part.numbers(below: count) {
                let position = random.next(below: size / 4096) * 4096
                // SAFETY: the kernel writes within the buffer.
                let got = unsafe pread(file, buffer.baseAddress, buffer.count, position)
                tally.bytes += got
                tally.count(got == 4096 ? 0 : -1)
            }
        }
    }
}

/// Touches each page of a mapping.
func readMapped(_ path: String, _ part: Part) -> Tally {
    withFile(path) { tally, file, size in
        // SAFETY: a fresh private mapping of the whole file, which nobody truncates; gone before the return.
        guard let base = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0), unsafe base != MAP_FAILED
        else {
            return tally.fail()
        }
        var sum = 0
        for position in stride(
            from: part.range(of: size, unit: 4096).lowerBound,
            to: part.range(of: size, unit: 4096).upperBound, by: 4096)
        {
            sum &+= Int(unsafe base.load(fromByteOffset: position, as: UInt8.self))
            tally.operations += 1
        }
        tally.bytes = tally.operations * 4096
        // The sum is used, or the loop would be none.
        if sum < 0 { tally.fail() }
        unsafe munmap(base, size)
    }
}
