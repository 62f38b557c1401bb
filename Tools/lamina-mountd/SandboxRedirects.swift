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
        var heartbeat = Heartbeat(arguments.readyDescriptor)
        do throws(RedirectFailure) {
            try union.fill(list) { heartbeat.beat() }
            try union.attach(list, store: arguments.root)
        } catch {
            throw RunError(description: error.description)
        }
    }
}

/// Tells whoever waits for the mount that something is still being done: a space every few seconds.
private struct Heartbeat {
    private let descriptor: Int32?
    private var last = now()
    private static let seconds = 5

    init(_ descriptor: Int32?) {
        self.descriptor = descriptor
    }

    private static func now() -> Int {
        var time = timespec()
        // SAFETY: the kernel fills the local.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    mutating func beat() {
        guard let descriptor else { return }
        let time = Self.now()
        guard time - last >= Self.seconds else { return }
        last = time
        // SAFETY: one byte of a literal.
        _ = unsafe write(descriptor, " ", 1)
    }
}
