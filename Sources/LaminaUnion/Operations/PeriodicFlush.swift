// Making block maps durable while the mount lives: what a container wrote and never synced
// is not lost in a power cut when it is old, just as the kernel writes old pages back.

import Glibc
import LaminaCore
import LaminaSystem
import Synchronization

extension Union {
    /// Makes durable what was written into block-mapped files so far. O(sandbox's nodes); does
    /// nothing when there is nothing to do.
    public func flush() throws(Errno) {
        guard !isReadOnly, !upper.isVolatile, upper.maps.hasDirty else { return }
        let files = try withNamespace { (namespace) throws(Errno) in try namespace.mappedFiles() }
        for file in files { try file.data.sync(file.descriptor, dataOnly: true) }
    }
}

extension Namespace {
    /// The files of the sandbox whose bytes are in two places.
    fileprivate func mappedFiles() throws(Errno) -> [MappedUpperFile] {
        var files: [MappedUpperFile] = []
        for node in table.nodes {
            guard let data = node.data, data.isMapped, let handle = try? upper.open(node) else { continue }
            files.append(MappedUpperFile(data: data, descriptor: try handle.reopen(O_WRONLY)))
        }
        return files
    }
}

/// A file with a block map, open for a sync.
private final class MappedUpperFile: Sendable {
    let data: UpperData
    let descriptor: Descriptor

    init(data: UpperData, descriptor: consuming Descriptor) {
        self.data = data
        self.descriptor = descriptor
    }
}

/// Flushes a union every so often, on a thread of its own, until it is let go.
public final class PeriodicFlush: Sendable {
    private let stop = Semaphore(count: 0)
    private let worker: Mutex<Worker?>

    /// As the kernel's `vm.dirty_expire_centisecs`.
    public static let interval = 30_000

    /// - Parameter milliseconds: how old what a power cut takes may be.
    public init(_ union: Union, every milliseconds: Int = interval) throws(Errno) {
        let stop = stop
        let worker = try Worker(union) { union in
            while !stop.wait(milliseconds: milliseconds) {
                do throws(Errno) {
                    try union.flush()
                } catch {
                    UnionLog.report("cannot make block maps durable: \(error)")
                }
            }
        }
        self.worker = Mutex(worker)
    }

    deinit {
        stop.signal()
        // Dropping the worker waits for its end.
        worker.withLock { $0 = nil }
    }
}
