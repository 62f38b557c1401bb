// Making and removing the mark of a volatile mount. It is there from the mount's start to its
// clean end, so that what a crash left is known for what it is.

import Glibc
import LaminaCore
import LaminaSystem

extension VolatileMarker {
    /// - Parameter work: the sandbox's `work` directory.
    public static func isPresent(in work: borrowing Descriptor) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try work.status(of: path)
            return true
        } catch Errno.noSuchFileOrDirectory {
            return false
        }
    }

    /// Makes the mark, durably: it must be seen after the very crash that it is about.
    static func make(in work: borrowing Descriptor) throws(Errno) {
        try work.makeDirectories(path, permissions: 0o700)
        var components = path.components
        while components.popLast() != nil {
            let parent = components.reduce("." as ByteString) { path, name in path.appending(name) }
            try work.openDirectory(parent).syncDirectory()
        }
    }
}

extension Union {
    /// Ends a volatile mount cleanly: makes durable what was written, and takes the mark away
    /// only then. Does nothing for others.
    func finishVolatile() throws(Errno) {
        guard upper.isVolatile, !isReadOnly else { return }
        let work = try upper.work.openDirectory(".")
        try work.syncFilesystem()
        try work.removeTree("work")
        try work.syncDirectory()
    }
}
