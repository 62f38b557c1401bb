// Looking about in a tree: stat, misses, listings, whole small files.

import Glibc

func lookUp(_ paths: PathList, _ part: Part) -> Tally {
    var tally = Tally()
    var status = stat()
    // SAFETY: the path is a C string; the kernel fills the local.
    unsafe paths.forEach(part) { path in tally.count(unsafe lstat(path, &status)) }
    return tally
}

/// Names that are not there: anything but ENOENT is a failure.
func missNames(_ paths: PathList, _ part: Part) -> Tally {
    var tally = Tally()
    var status = stat()
    // SAFETY: the path is a C string; the kernel fills the local.
    unsafe paths.forEach(part) { path in
        let isMissing = unsafe lstat(path, &status) != 0 && errno == ENOENT
        tally.count(isMissing ? 0 : -1)
    }
    return tally
}

/// Lists directories; the operations are the entries.
func list(_ paths: PathList, _ part: Part) -> Tally {
    var tally = Tally()
    // SAFETY: the path is a C string; the stream is open until closedir.
    unsafe paths.forEach(part) { path in
        guard let directory = unsafe opendir(path) else { return tally.fail() }
        while unsafe readdir(directory) != nil { tally.operations += 1 }
        _ = unsafe closedir(directory)
    }
    return tally
}

/// Opens, reads to the end and closes.
func readFiles(_ paths: PathList, _ part: Part) -> Tally {
    var tally = Tally()
    unsafe withBuffer(1 << 20) { buffer in
        // SAFETY: the path is a C string; the kernel writes within the buffer.
        unsafe paths.forEach(part) { path in
            let file = unsafe open(path, O_RDONLY)
            tally.count(file)
            guard file >= 0 else { return }
            while true {
                let got = unsafe read(file, buffer.baseAddress, buffer.count)
                if got < 0 { tally.fail() }
                guard got > 0 else { break }
                tally.bytes += got
            }
            close(file)
        }
    }
    return tally
}

/// Calls `body` with a buffer that starts at a page.
func withBuffer(_ size: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
    // SAFETY: written in full here, freed only after the body.
    unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0x6C)
    unsafe body(buffer)
    unsafe buffer.deallocate()
}
