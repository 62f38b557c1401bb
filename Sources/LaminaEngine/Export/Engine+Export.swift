// A sandbox's whole tree as one tar, without layers.

import LaminaCodec
import LaminaCore
import LaminaSystem

extension Engine {
    /// Writes what a container of a sandbox would see, as a tar in which nothing is hidden; what volumes and
    /// binds hold is not in it. The same tree gives the same bytes. O(bytes).
    ///
    /// A sandbox may be mounted and written to meanwhile, as for `commit`.
    public func export(
        _ name: String, to file: consuming Descriptor, cancellation: Cancellation = Cancellation()
    ) throws(LaminaError) {
        let lock = try SandboxLock(sandbox(name), called: name)
        let sandbox = try sandbox(name)
        let lease = try lease()
        let tree = try SandboxTree(sandbox, of: self)
        let failure = LayerTarFailure()
        let items = try layerItems(of: tree, sandbox, called: name, .everything)
        var source = LayerTarSource(items, of: tree, failure: failure)
        var buffer = Buffer(capacity: 1 << 20)
        do throws(CodecError) {
            while try buffer.fill(from: &source) {
                if cancellation.isCancelled { throw .cancelled }
                do throws(Errno) { try file.writeAll(buffer.bytes.raw) } catch { throw .write(error) }
            }
        } catch {
            throw failure.reason ?? LaminaError(error, about: name)
        }
        _ = consume lease
        lock.end()
    }
}
