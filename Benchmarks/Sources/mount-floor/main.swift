// mount-floor: a FUSE server that does nothing but answer, from one thread, by plain read(2) and write(2): what a
// request costs when the server costs next to nothing. It shows a tree whose names and attributes it read into memory
// before, and keeps everything in the kernel's caches for ever. Bytes and changes are one call on the tree; large files
// and those open for writing are given to the kernel (passthrough), which then asks nothing.
// Usage: mount-floor [--cached] [--full] TREE MOUNTPOINT      (ends with umount)
//   --cached   opens are answered ENOSYS, once; all bytes are asked for
//   --full     listings bring attributes of all nodes, and not of directories alone

import Glibc
import LaminaCore
import LaminaSystem

do {
    var words = Array(CommandLine.arguments.dropFirst())
    var options = Options()
    while let word = words.first, word.hasPrefix("--") {
        switch word {
        case "--cached": options.isCached = true
        case "--full": options.listsFully = true
        default: throw FloorError("no option \(word)")
        }
        words.removeFirst()
    }
    guard words.count == 2 else { throw FloorError("usage: mount-floor [--cached] [--full] TREE MOUNTPOINT") }
    var server = try serve(words[0], on: words[1], options)
    try server.run()
} catch {
    print("mount-floor: \(error)")
    exit(1)
}

/// Reads `tree` and mounts it on `directory`.
func serve(_ tree: String, on directory: String, _ options: Options) throws(FloorError) -> Server {
    do throws(Errno) {
        let root = try Descriptor.open(ByteString(tree), O_RDONLY | O_DIRECTORY)
        let mirror = try Mirror(root)
        // Permissions are those of the request.
        umask(0)
        return Server(mirror, of: root, connection: try connect(directory), options)
    } catch {
        throw FloorError("\(tree) on \(directory): \(error)")
    }
}

/// Mounts on `directory`; the descriptor that the kernel's requests come from.
func connect(_ directory: String) throws(Errno) -> Int32 {
    // SAFETY: the path is alive during the call.
    let device = unsafe open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK)
    guard device >= 0 else { throw Errno(rawValue: errno) }
    let options = "fd=\(device),rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
    // SAFETY: the strings are alive during the call.
    guard unsafe mount("mount-floor", directory, "fuse.floor", 0, options) == 0 else {
        throw Errno(rawValue: errno)
    }
    return device
}

struct Options {
    var isCached = false
    var listsFully = false
}

/// Why the floor serves nothing.
struct FloorError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
