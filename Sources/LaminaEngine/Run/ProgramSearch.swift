// ProgramSearch owns the answer to why a container's program did not start: it is not there, or it cannot be invoked.
// Runtimes say so in words alone, each in its own; so the sandbox's files are asked, as execvpe(3) would ask them.

import Glibc
import LaminaCore
import LaminaSystem

enum ProgramSearch {
    case found, absent, unusable

    /// Looks for the program of a bundle below `root`, as its user would.
    static func look(for bundle: RuntimeBundle, in root: borrowing Descriptor) -> ProgramSearch {
        guard let name = bundle.arguments.first.map({ ByteString($0) }), !name.isEmpty else { return .absent }
        if name.bytes.contains(UInt8(ascii: "/")) {
            let directory = name.hasPrefix("/") ? "/" : ByteString(bundle.workingDirectory)
            return look(at: directory.appending(name), bundle.user, in: root)
        }
        var result = ProgramSearch.absent
        for directory in bundle.searchPath.split(separator: ":", omittingEmptySubsequences: false) {
            let place =
                directory.hasPrefix("/") ? String(directory) : "\(bundle.workingDirectory)/\(directory)"
            switch look(at: ByteString(place).appending(name), bundle.user, in: root) {
            case .found: return .found
            case .unusable: result = .unusable
            case .absent: continue
            }
        }
        return result
    }

    private static func look(
        at path: ByteString, _ user: ContainerUser, in root: borrowing Descriptor
    ) -> ProgramSearch {
        do throws(Errno) {
            let file = try root.open(path, OpenFlag.path, resolve: Resolve.inRoot | Resolve.noMagicLinks)
            let status = try file.status()
            return status.type == .regular && user.mayExecute(status) ? .found : .unusable
        } catch Errno.noSuchFileOrDirectory {
            return .absent
        } catch {
            return .unusable
        }
    }
}

extension ContainerUser {
    fileprivate func mayExecute(_ status: FileStatus) -> Bool {
        if uid == 0 { return status.mode & 0o111 != 0 }
        if uid == status.uid { return status.mode & 0o100 != 0 }
        return status.mode & (gid == status.gid || groups.contains(status.gid) ? 0o010 : 0o001) != 0
    }
}
