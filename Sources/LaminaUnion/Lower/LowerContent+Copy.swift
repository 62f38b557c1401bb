// Copying bytes of the layers into a file of the sandbox: sharing blocks where the
// filesystem can, else inside the kernel, else through a buffer.

import Glibc
import LaminaCore
import LaminaSystem

extension LowerContent {
    /// Shares all blocks with `destination` (`FICLONE`); false when the filesystem cannot.
    func clone(to destination: borrowing Descriptor) throws(Errno) -> Bool {
        guard offset == 0, length > 0, (try? destination.clone(from: file.descriptor)) != nil else {
            return false
        }
        let size = try destination.status().size
        if size == Int64(clamping: length) { return true }
        guard size > Int64(clamping: length) else { throw .ioError }
        // A file of the store is longer than what the tree says of it.
        try destination.truncate(to: Int64(clamping: length))
        return true
    }

    /// Copies the first `count` bytes to the start of an empty `destination`.
    func copy(to destination: borrowing Descriptor, count: UInt64) throws(Errno) {
        guard count > 0 else { return }
        if count == length, try clone(to: destination) { return }
        try copy(0..<count, to: destination)
    }

    /// Copies a range of bytes to the same place of `destination`.
    func copy(_ range: Range<UInt64>, to destination: borrowing Descriptor) throws(Errno) {
        guard !range.isEmpty else { return }
        guard let start = Int64(exactly: offset), let end = Int64(exactly: range.upperBound),
            range.upperBound <= length, !start.addingReportingOverflow(end).overflow
        else { throw .ioError }
        var done = Int64(range.lowerBound)
        while done < end {
            let copied: Int
            do throws(Errno) {
                copied = try destination.copyRange(
                    from: file.descriptor, sourceOffset: start + done, to: done,
                    count: Int(min(end - done, 1 << 30)))
            } catch Errno.improperLink {
                return try copyThroughBuffer(done..<end, to: destination)
            } catch Errno.invalidArgument {
                return try copyThroughBuffer(done..<end, to: destination)
            } catch Errno.notSupported {
                return try copyThroughBuffer(done..<end, to: destination)
            }
            guard copied > 0 else { throw .ioError }
            done += Int64(copied)
        }
    }

    private func copyThroughBuffer(
        _ range: Range<Int64>, to destination: borrowing Descriptor
    ) throws(Errno) {
        var done = range.lowerBound
        while done < range.upperBound {
            let piece = Int(min(range.upperBound - done, 1 << 20))
            let bytes = try file.descriptor.readBytes(at: Int64(clamping: offset) + done, count: piece)
            guard !bytes.isEmpty else { throw .ioError }
            try destination.writeAll(bytes.raw, at: done)
            done += Int64(bytes.count)
        }
    }
}
