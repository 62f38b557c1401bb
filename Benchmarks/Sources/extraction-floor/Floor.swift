// Floor owns the measured work: layers in parallel up to the cores, the largest first, each read,
// hashed, decompressed by Lamina's own codec, hashed again and written to one plain file; then one
// syncfs(2), because what Lamina loads is durable too. Nothing is parsed.

import Dispatch
import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem
import Synchronization

/// One extraction of layers to plain files.
final class Floor: Sendable {
    private static let chunkSize = 1 << 20

    private let directory: ByteString
    private let results = Mutex<[String]>([])
    private let failure = Mutex<String?>(nil)

    init(directory: ByteString) {
        self.directory = directory
    }

    /// Extracts `blobs` and gives a line `BLOB-DIGEST DIFFID BYTES` for each.
    func run(_ blobs: [ByteString]) throws(FloorError) -> [String] {
        var sized: [(size: Int64, path: ByteString)] = []
        for blob in blobs { sized.append((try Self.size(blob), blob)) }
        let order = sized.sorted { $0.size > $1.size }.map(\.path)
        DispatchQueue.concurrentPerform(iterations: order.count) { index in
            do throws(FloorError) {
                let line = try extract(order[index], as: "\(directory)/layer\(index).tar")
                results.withLock { $0.append(line) }
            } catch {
                failure.withLock { $0 = error.message }
            }
        }
        if let message = failure.withLock({ $0 }) { throw FloorError(message: message) }
        do throws(Errno) {
            try Descriptor.open(directory, O_RDONLY | O_DIRECTORY).syncFilesystem()
        } catch {
            throw FloorError(message: "syncfs: \(error)")
        }
        return results.withLock { $0.sorted() }
    }

    private static func size(_ path: ByteString) throws(FloorError) -> Int64 {
        do throws(Errno) {
            return try Descriptor.open(path, O_RDONLY).seek(to: 0, whence: SEEK_END)
        } catch {
            throw FloorError(message: "\(path): \(error)")
        }
    }

    private func extract(_ path: ByteString, as name: String) throws(FloorError) -> String {
        do {
            let input = try Descriptor.open(path, O_RDONLY)
            let output = try Descriptor.open(
                ByteString(name), O_WRONLY | O_CREAT | O_EXCL, permissions: 0o444)
            var source = try DecompressingSource(HashingSource(DescriptorSource(input)))
            if source.compression == .none { source.upstream.stopHashing() }
            var chunk = Buffer(capacity: Self.chunkSize)
            var diffID = SHA256()
            var size: UInt64 = 0
            while try chunk.fill(from: &source) {
                diffID.update(chunk.bytes.raw)
                try output.writeAll(chunk.bytes.raw)
                // The disk starts at once, as it does for Lamina, and not at the sync in the end.
                output.startWriteback(Int64(size)..<Int64(size) + Int64(chunk.count))
                size += UInt64(chunk.count)
            }
            let tar = diffID.finish()
            return "\(source.release().finish() ?? tar) \(tar) \(size)"
        } catch {
            throw FloorError(message: "\(path): \(error)")
        }
    }
}

/// Why there is no floor to measure.
struct FloorError: Error, CustomStringConvertible {
    var message: String
    var description: String { message }
}
