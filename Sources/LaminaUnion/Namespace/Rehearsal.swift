// The first change of a mount would wait for what the process and the filesystem do only once: code is read in, the
// language's runtime makes its types, a block group's bitmaps are loaded. A rehearsal in `work` waits for them before
// anybody asks. It changes nothing that a container sees, and what a crash leaves of it the next mount removes.

import LaminaCore
import LaminaIndex
import LaminaSystem

extension Union {
    /// Makes and removes in `work` what a first change makes. For who is about to serve a mount.
    public func rehearse() {
        guard !isReadOnly else { return }
        try? withNamespace { (namespace) throws(Errno) in namespace.rehearse() }
    }
}

extension Namespace {
    /// How many entries of directories are looked at for a file to copy.
    private static let mostLooks = 1024

    /// Makes a copy of a directory, of a file in it and of the file's first byte, and a block map; removes them all.
    /// Errors end it: whoever makes a real change meets the same and says so. O(1).
    fileprivate func rehearse() {
        guard let (nid, name) = firstFile() else { return }
        let directory = upper.temporaryName()
        _ = try? makeCopies(of: [Missing(nid: name.parent, name: name.name)], at: directory)
        let file = upper.temporaryName()
        if let copy = try? makeCopy(of: nid, type: .regular, at: file, .none) {
            copy.data?.discard()
            try? lower.openContent(nid).copy(0..<1, to: copy.handle)
            if let map = try? upper.maps.create(nid: nid, size: UpperData.wholeLimit) {
                upper.maps.remove(map.name)
            }
            try? upper.work.rename(file, to: upper.work, directory.appending(name.name))
        }
        // Where it was not renamed.
        try? upper.work.removeFile(file)
        try? upper.work.removeTree(directory)
    }

    /// A file with bytes of its layer's stream and a single name: for the others of one with several, a copy walks the
    /// tree, and an object might have to be verified.
    private func firstFile() -> (nid: UInt64, name: LowerName)? {
        var waiting = [Tree.root]
        var next = 0
        var looks = 0
        var found: (nid: UInt64, name: LowerName)?
        while next < waiting.count, looks < Self.mostLooks, found == nil {
            let directory = waiting[next]
            next += 1
            try? lower.forEachEntry(of: directory, from: 0) { name, nid, type, _ in
                looks += 1
                let name = ByteString(name)
                if type == .directory, name != ".", name != ".." { waiting.append(nid) }
                if type == .regular, let node = try? lower.node(nid), node.linkCount == 1,
                    node.size > 0, node.size < UInt64(Limits.objectThreshold)
                {
                    found = (nid, LowerName(parent: directory, name: name))
                }
                return found == nil && looks < Self.mostLooks
            }
        }
        return found
    }
}
