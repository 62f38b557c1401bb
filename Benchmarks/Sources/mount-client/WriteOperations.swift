// Changing a tree: names, bytes, attributes, and the first change of a file that the layers hold.

import Glibc

/// Makes files of 100 bytes.
func create(_ paths: PathList, _ part: Part) -> Tally {
    var tally = Tally()
    unsafe withBuffer(100) { buffer in
        // SAFETY: the path is a C string; the kernel reads within the buffer.
        unsafe paths.forEach(part) { path in
            let file = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY, 0o644)
            tally.count(file)
            guard file >= 0 else { return }
            if unsafe Glibc.write(file, buffer.baseAddress, buffer.count) != buffer.count { tally.fail() }
            close(file)
        }
    }
    return tally
}

func rename(_ paths: PathList, to others: PathList, _ part: Part) -> Tally {
    var tally = Tally()
    // SAFETY: both paths are C strings.
    unsafe paths.forEachPair(with: others, part) { path, other in
        tally.count(unsafe Glibc.rename(path, other))
    }
    return tally
}

func unlink(_ paths: PathList, _ part: Part) -> Tally {
    var tally = Tally()
    // SAFETY: the path is a C string.
    unsafe paths.forEach(part) { path in tally.count(unsafe Glibc.unlink(path)) }
    return tally
}

func makeDirectories(_ paths: PathList, _ part: Part) -> Tally {
    var tally = Tally()
    // SAFETY: the path is a C string.
    unsafe paths.forEach(part) { path in tally.count(unsafe mkdir(path, 0o755)) }
    return tally
}

func removeDirectories(_ paths: PathList, _ part: Part) -> Tally {
    var tally = Tally()
    // SAFETY: the path is a C string.
    unsafe paths.forEach(part) { path in tally.count(unsafe rmdir(path)) }
    return tally
}

/// Writes a new file in blocks. The close counts: where writes are gathered, it may be what writes them.
func write(_ path: String, size: Int, block: Int) -> Tally {
    var tally = Tally()
    unsafe withBuffer(block) { buffer in
        let file = openFile(path, O_CREAT | O_TRUNC | O_WRONLY)
        guard file >= 0 else { return tally.fail() }
        for _ in 0..<(size / block) {
            // SAFETY: the kernel reads within the buffer.
            tally.count(unsafe Glibc.write(file, buffer.baseAddress, block) == block ? 0 : -1)
            tally.bytes += block
        }
        if close(file) != 0 { tally.fail() }
    }
    return tally
}

/// Appends 4 KiB and makes it durable, again and again.
func writeAndSync(_ path: String, count: Int) -> Tally {
    var tally = Tally()
    unsafe withBuffer(4096) { buffer in
        let file = openFile(path, O_CREAT | O_TRUNC | O_WRONLY)
        guard file >= 0 else { return tally.fail() }
        for _ in 0..<count {
            // SAFETY: the kernel reads within the buffer.
            let written = unsafe Glibc.write(file, buffer.baseAddress, buffer.count) == buffer.count
            tally.count(written && fsync(file) == 0 ? 0 : -1)
        }
        close(file)
    }
    return tally
}

/// Opens each file for writing, changes its first byte and closes it.
func changeFirstByte(_ paths: [String]) -> Tally {
    var tally = Tally()
    var byte: UInt8 = 0x78
    for path in paths {
        let file = openFile(path, O_WRONLY)
        // SAFETY: the kernel reads one byte of the local.
        let written = unsafe pwrite(file, &byte, 1, 0)
        tally.count(written == 1 ? 0 : -1)
        close(file)
    }
    return tally
}

/// Opens each file with O_TRUNC.
func openTruncating(_ paths: [String]) -> Tally {
    var tally = Tally()
    for path in paths {
        let file = openFile(path, O_WRONLY | O_TRUNC)
        tally.count(file)
        close(file)
    }
    return tally
}

func changeMode(_ paths: [String]) -> Tally {
    var tally = Tally()
    // SAFETY: the path is alive during the call.
    for path in paths { tally.count(unsafe chmod(path, 0o640)) }
    return tally
}
