// Making a sandbox readable without Lamina: block-mapped files get all their bytes.

import LaminaCore
import LaminaSystem

extension Engine {
    /// Fills every block-mapped file of a sandbox from its layers, so that `upper` is plain
    /// overlayfs, and returns how many there were. O(entries of the sandbox + bytes filled).
    ///
    /// - Parameter all: also files of which only the attributes changed, which overlayfs reads
    ///   with `metacopy=on`.
    ///
    /// Throws `busy` while the sandbox is mounted.
    @discardableResult
    public func materialize(_ name: String, all: Bool = false) throws(LaminaError) -> Int {
        let lock = try SandboxLock(sandbox(name), called: name)
        let sandbox = try sandbox(name)
        guard sandbox.state == .idle else {
            throw LaminaError(.busy, name, "is mounted; unmount it first")
        }
        // Keeps a prune from what the files are filled from.
        let lease = try lease()
        let arguments: [ByteString] = [
            "--root", root, "--chain", ByteString(sandbox.chainID.hex), "--sandbox", sandbox.directory,
            "--materialize",
        ]
        let answer: String
        do throws(LaminaError) {
            answer = try MountServer.run(
                arguments + (all ? ["--all"] : []), sandbox: sandbox.directory)
        } catch {
            throw LaminaError(error.code, name, error.message, cause: error)
        }
        _ = consume lease
        lock.end()
        guard let count = Int(answer.dropFirst("files ".count)) else {
            throw LaminaError(.failure, name, "lamina-mountd answered \(answer)")
        }
        return count
    }
}
