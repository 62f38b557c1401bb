// SandboxRedirects reads what the engine wrote about a sandbox's redirects, and puts them into the union.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaUnion

enum SandboxRedirects {
    /// The sandbox's redirects; none where there is no file.
    /// - Throws: for a file that is damaged or of another version.
    static func read(in sandbox: borrowing Descriptor, _ path: ByteString) throws(RunError)
        -> [PlacedRedirect]
    {
        let path = path.appending(RedirectList.name)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try sandbox.open(RedirectList.name, O_RDONLY | O_NOFOLLOW)
                .readAll(limit: RedirectList.longest)
        } catch .noSuchFileOrDirectory {
            return []
        } catch {
            throw RunError(description: "\(path): \(error)")
        }
        do throws(RedirectListError) {
            return try RedirectList.decode(bytes)
        } catch {
            throw RunError(description: "\(path): \(error)")
        }
    }

    /// Puts them into the union that is about to be served.
    static func attach(
        _ list: [PlacedRedirect], to union: Union, _ arguments: Arguments
    ) throws(RunError) {
        guard !list.isEmpty else { return }
        guard arguments.data != .cached else {
            throw RunError(
                description: """
                    --data cached: the kernel would not ask for files again that others change beneath the redirect \
                    at \(list[0].redirect.target); use auto or passthrough
                    """)
        }
        do throws(RedirectFailure) {
            try union.attach(list, store: arguments.root)
        } catch {
            throw RunError(description: error.description)
        }
    }
}
