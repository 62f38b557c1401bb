// What a sandbox's redirects lead to when it is mounted, told to the server by a file in the sandbox's directory.

import Glibc
import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

extension Engine {
    /// Throws `usage` for a mount that could not show what others change beneath the sandbox's redirects.
    func refuseCached(_ sandbox: Sandbox, _ settings: MountSettings) throws(LaminaError) {
        guard settings.data == .cached, let first = sandbox.redirects.first else { return }
        throw LaminaError(
            .usage, sandbox.name,
            """
            --data cached: the kernel would not ask for files again that others change beneath the redirect \
            at \(first.target); use auto or passthrough
            """)
    }

    /// Looks for the sources again, makes those that may be made, and writes the list for the server.
    func writeRedirects(of sandbox: Sandbox) throws(LaminaError) {
        for redirect in sandbox.redirects where redirect.kind == .bind {
            try checkSource(of: redirect)
            if redirect.createsSource { try makeSource(of: redirect) }
        }
        for redirect in sandbox.redirects where redirect.kind == .volume {
            try findVolume(redirect.source.description)
        }
        var list: [PlacedRedirect] = []
        for redirect in sandbox.redirects { list.append(try placed(redirect)) }
        let path = sandbox.directory.appending(RedirectList.name)
        let bytes = RedirectList.encode(list)
        try Self.system(path) { () throws(Errno) in
            let directory = try Descriptor.open(sandbox.directory, O_RDONLY | O_DIRECTORY)
            guard !list.isEmpty else {
                do throws(Errno) { try directory.removeFile(RedirectList.name) } catch .noSuchFileOrDirectory
                {}
                return
            }
            // It is written anew at each mount: a crash leaves nothing that somebody will read.
            let temporary = RedirectList.name + ".new"
            let file = try directory.open(temporary, O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o600)
            try file.writeAll(bytes)
            try directory.rename(temporary, to: directory, RedirectList.name)
        }
    }

    func placed(_ redirect: Redirect) throws(LaminaError) -> PlacedRedirect {
        switch redirect.kind {
        case .bind: PlacedRedirect(redirect, place: redirect.source)
        case .volume:
            PlacedRedirect(
                redirect,
                place: try Self.resolved(root.appending(VolumePath.data(of: redirect.source.description))))
        case .tmpfs: PlacedRedirect(redirect, place: ByteString())
        case .image: PlacedRedirect(redirect, place: ByteString(redirect.chainID?.hex ?? ""))
        }
    }
}
