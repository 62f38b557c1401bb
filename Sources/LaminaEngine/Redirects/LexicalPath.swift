// LexicalPath owns the rules for paths that are only text: nothing here looks at a disk, so `..` takes
// away the component before it even where that is a symlink, as Go's `path.Clean` does.

import LaminaCore

enum LexicalPath {
    /// The shortest path of the same meaning: without `.`, empty components and, where a component
    /// stands before it, `..`. An empty path is `.`; `..` of the root is the root. O(bytes).
    static func clean(_ path: ByteString) -> ByteString {
        let isAbsolute = path.hasPrefix("/")
        var kept: [ByteString] = []
        for component in path.components where component != "." {
            if component != ".." {
                kept.append(component)
            } else if let last = kept.last, last != ".." {
                kept.removeLast()
            } else if !isAbsolute {
                kept.append(component)
            }
        }
        let joined = ByteString(kept.map(\.bytes).joined(separator: [UInt8(ascii: "/")]))
        if isAbsolute { return ByteString("/") + joined }
        return joined.isEmpty ? "." : joined
    }

    /// Whether the path is relative and never leaves where it starts (Go's `filepath.IsLocal`).
    static func isLocal(_ path: ByteString) -> Bool {
        if path.isEmpty || path.hasPrefix("/") { return false }
        let clean = clean(path)
        return clean != ".." && !clean.hasPrefix("../")
    }

    /// Whether `path` is `directory` or beneath it; both absolute and clean.
    static func isWithin(_ path: ByteString, _ directory: ByteString) -> Bool {
        path == directory || directory == "/" || path.hasPrefix(directory + "/")
    }

    /// A path that starts with `.`, as an absolute one below `directory`; any other as it is. Docker
    /// reads sources so, before it tells paths from names.
    static func source(_ path: ByteString, below directory: ByteString) -> ByteString {
        path.hasPrefix(".") ? clean(directory.appending(path)) : path
    }
}
