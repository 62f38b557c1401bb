// ObjectVerification owns which objects of a lower tree were compared with their names since the mount began.
//
// Invariant: no byte of an object leaves the union before the digest of all its bytes was seen to be its name.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// Compares each object with its name when it is first opened.
public final class ObjectVerification: Sendable {
    private let whole: AtomicBits
    /// Not read again, and said once.
    private let damaged: AtomicBits
    private let report: @Sendable (String) -> Void

    /// For the nodes of `tree`. Two bits a node, made as they are needed.
    /// - Parameter report: takes one line for each damaged object, for people.
    /// - Throws: `ENOMEM`.
    public init(nodes: UInt64, report: @escaping @Sendable (String) -> Void) throws(Errno) {
        whole = try AtomicBits(count: nodes)
        damaged = try AtomicBits(count: nodes)
        self.report = report
    }

    /// Looks at the object of a node. O(bytes) the first time, O(1) afterwards.
    /// - Throws: `EIO` when it is not what its name says, or cannot be read.
    func check(_ file: borrowing Descriptor, _ digest: Digest, of nid: UInt64) throws(Errno) {
        if whole.contains(nid) { return }
        if damaged.contains(nid) { throw .ioError }
        let reason: String
        do throws(Errno) {
            let found = try SHA256.digest(of: file)
            if found == digest { return whole.insert(nid) }
            reason = "its bytes have the digest \(found)"
        } catch {
            reason = "\(error)"
        }
        damaged.insert(nid)
        report("object \(digest): \(reason)")
        throw .ioError
    }
}
