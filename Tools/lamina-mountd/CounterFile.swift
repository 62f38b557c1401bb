// CounterFile owns the place where others find a mount's counters: `stats` in the sandbox's directory, a
// link to memory of this process. No disk is written for them, and nothing is left to remove but the link.

import Glibc
import LaminaCore
import LaminaFuse
import LaminaSystem
import LaminaUnion

/// The link, which is removed with its owner.
struct CounterFile: ~Copyable {
    static let name: ByteString = "stats"

    /// Nil when there is no memory for counters; the mount then works without.
    let counters: Counters?
    private let sandbox: SharedDescriptor

    /// A mount does not fail for its counters: what goes wrong is said in the log.
    init(in sandbox: SharedDescriptor) {
        self.sandbox = sandbox
        // One that a killed server left.
        try? sandbox.descriptor.removeFile(Self.name)
        do throws(Errno) {
            counters = try Counters()
        } catch {
            counters = nil
            report("no memory for counters: \(error)")
        }
        guard let path = counters?.path else { return }
        do throws(Errno) {
            try sandbox.descriptor.makeSymlink(Self.name, target: path)
        } catch {
            report("cannot make the link to the counters: \(error)")
        }
    }

    deinit {
        try? sandbox.descriptor.removeFile(Self.name)
    }
}

/// A line for `mountd.log`.
private func report(_ text: String) {
    let line = Array("lamina-mountd: \(text)\n".utf8)
    // SAFETY: the array is alive during the call.
    _ = unsafe write(2, line, line.count)
}

extension CounterEvent {
    init(_ kind: CopyKind) {
        self =
            switch kind {
            case .whole: .copiedWhole
            case .byBlock: .copiedByBlock
            case .metadata: .copiedMetadata
            }
    }
}
