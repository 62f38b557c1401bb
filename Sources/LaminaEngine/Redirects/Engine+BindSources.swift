// The sources of binds when a sandbox is made. The mount looks again: what is checked here may be another
// file by then.

import Glibc
import LaminaCore
import LaminaSystem

extension Engine {
    /// Throws `notFound` for a source that is missing and not to be made, `badInput` for one that leads
    /// to the store, `/`, `/proc` or `/sys` unless the redirect allows it.
    func checkSource(of redirect: Redirect) throws(LaminaError) {
        let source = redirect.source
        do throws(Errno) {
            _ = try FileStatus.of(source, follow: true)
        } catch .noSuchFileOrDirectory {
            guard redirect.createsSource else {
                throw LaminaError(
                    .notFound, "invalid mount config for type \"bind\"",
                    "bind source path does not exist: \(source)")
            }
            return try refuseSpecial(nearestDirectory(above: source), redirect)
        } catch {
            throw LaminaError(source, error)
        }
        try refuseSpecial(source, redirect)
    }

    /// Makes the source as a directory, with its parents, where it is missing.
    func makeSource(of redirect: Redirect) throws(LaminaError) {
        let source = redirect.source
        if (try? FileStatus.of(source, follow: true)) != nil { return }
        try Self.system(source) { () throws(Errno) in
            try Descriptor.workingDirectory().makeDirectories(source, permissions: 0o755)
            // A symlink that leads nowhere is a name, but no source.
            _ = try FileStatus.of(source, follow: true)
        }
    }

    /// The nearest directory above `path` that there is. Ends at the root.
    private func nearestDirectory(above path: ByteString) -> ByteString {
        var components = path.components
        while !components.isEmpty {
            components.removeLast()
            let parent = components.reduce(ByteString("/")) { $0.appending($1) }
            if (try? FileStatus.of(parent, follow: true)) != nil { return parent }
        }
        return "/"
    }

    /// A container that can write the store, or the kernel's files, can do anything to the host. A source
    /// above the store holds it too. A directory to be made may stand in `/`.
    private func refuseSpecial(_ path: ByteString, _ redirect: Redirect) throws(LaminaError) {
        if redirect.allowsSpecial { return }
        let place = try Self.resolved(path)
        let store = try Self.resolved(root)
        var reason: String?
        if LexicalPath.isWithin(place, "/proc") || LexicalPath.isWithin(place, "/sys") {
            reason = "leads to \(place)"
        } else if LexicalPath.isWithin(place, store) {
            reason = "leads into the store"
        } else if path == redirect.source && LexicalPath.isWithin(store, place) {
            reason = place == "/" ? "is the root of the host" : "holds the store"
        }
        if let reason {
            throw LaminaError(.badInput, "\(redirect.source)", "\(reason); --allow-special permits it")
        }
    }
}
