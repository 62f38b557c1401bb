// The operations by name. What an operation needs is made here, outside the clock; its closure is what is timed.

/// - Throws: when the name or an argument is none.
func makeOperation(_ order: Order) throws(ClientError) -> Operation {
    let first = order.arguments[0]
    switch order.operation {
    case "lstat", "read-files", "list":
        let paths = try PathList(file: first)
        if order.operation == "list" { return { part in list(paths, part) } }
        let shuffled = paths.shuffled()
        if order.operation == "lstat" { return { part in lookUp(shuffled, part) } }
        return { part in readFiles(shuffled, part) }
    case "miss":
        // What linkers, Python and compilers look for in vain.
        let paths = try PathList(file: first).appending(["libabsent.so.6", "__init__.absent.so", "absent.h"])
        let shuffled = paths.shuffled()
        return { part in missNames(shuffled, part) }
    case "sequential":
        let block = try order.number(1)
        return { part in readSequentially(first, block: block, part) }
    case "random":
        let count = try order.number(1)
        return { part in readRandomly(first, count: count, part) }
    case "map": return { part in readMapped(first, part) }
    case "write":
        let (size, block) = (try order.number(1), try order.number(2))
        return { _ in write(first, size: size, block: block) }
    case "sync":
        let count = try order.number(1)
        return { _ in writeAndSync(first, count: count) }
    case "first-byte": return { _ in changeFirstByte(order.arguments) }
    case "truncate": return { _ in openTruncating(order.arguments) }
    case "chmod": return { _ in changeMode(order.arguments) }
    case "create", "rename", "unlink", "mkdir", "rmdir": return try makeNameOperation(order)
    default: throw ClientError("no operation \(order.operation)")
    }
}

/// Operations on numbered names in a directory: `create` makes what `rename` renames and `unlink` removes.
private func makeNameOperation(_ order: Order) throws(ClientError) -> Operation {
    let directory = order.arguments[0]
    let count = try order.number(1)
    let files = PathList("file", count: count, in: directory)
    let renamed = PathList("renamed", count: count, in: directory)
    let directories = PathList("directory", count: count, in: directory)
    switch order.operation {
    case "create": return { part in create(files, part) }
    case "rename": return { part in rename(files, to: renamed, part) }
    case "unlink": return { part in unlink(renamed, part) }
    case "mkdir": return { part in makeDirectories(directories, part) }
    default: return { part in removeDirectories(directories, part) }
    }
}
