// union-lookups: how many paths a second the union itself resolves, without FUSE and without a kernel in between.
// Prints one line of JSON: {"paths", "lookups", "errors", "seconds"}.
// Usage: union-lookups [--threads N] [--misses] [--seconds S] STORE CHAIN ROOM PATHS
//   STORE  the store's directory; CHAIN the chain ID's hex digits; ROOM a directory for an empty sandbox
//   PATHS  a file of paths, each with a NUL behind it; --misses asks for an absent name in place of the last

import Glibc
import LaminaCore

do {
    let order = try Order(Array(CommandLine.arguments.dropFirst()))
    let walk = Walk(union: try openUnion(order), paths: try Paths(file: order.paths, misses: order.misses))
    // Pages of the index and of the sandbox's directories come into memory.
    _ = walk.run(from: 0, seconds: 0)
    print(try walk.run(threads: order.threads, seconds: order.seconds))
} catch {
    print("union-lookups: \(error)")
    exit(1)
}
