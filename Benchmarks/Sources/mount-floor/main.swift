// mount-floor: a FUSE server that does nothing but answer, from one thread, by plain read(2) and write(2): what a
// request costs when the server costs nothing. It serves one directory of files f0, f1, ... of 4 KiB and keeps them in
// the kernel's caches for ever.
// Usage: mount-floor [--cached] COUNT MOUNTPOINT      (--cached: opens are answered ENOSYS, once; ends with umount)

import Glibc

do {
    var words = Array(CommandLine.arguments.dropFirst())
    let isCached = words.first == "--cached"
    if isCached { words.removeFirst() }
    guard words.count == 2, let count = UInt64(words[0]) else {
        throw FloorError("usage: mount-floor [--cached] COUNT MOUNTPOINT")
    }
    let server = Server(connection: try connect(words[1]), count: count, isCached: isCached)
    try server.run()
} catch {
    print("mount-floor: \(error)")
    exit(1)
}

/// Mounts on `directory`; the descriptor that the kernel's requests come from.
func connect(_ directory: String) throws(FloorError) -> Int32 {
    // SAFETY: the path is alive during the call.
    let device = unsafe open("/dev/fuse", O_RDWR | O_CLOEXEC)
    guard device >= 0 else { throw FloorError("/dev/fuse: \(errorText())") }
    let options = "fd=\(device),rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
    // SAFETY: the strings are alive during the call.
    guard unsafe mount("mount-floor", directory, "fuse.floor", 0, options) == 0 else {
        throw FloorError("\(directory): \(errorText())")
    }
    return device
}

/// The message of the last error.
func errorText() -> String {
    // SAFETY: a static text of the C library.
    unsafe String(cString: strerror(errno))
}

/// Why the floor serves nothing.
struct FloorError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
