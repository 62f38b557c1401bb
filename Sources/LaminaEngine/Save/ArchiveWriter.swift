// ArchiveWriter owns the tar of images while it is written: each name once, bytes checked against their
// digests on the way.

import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem

/// Writes members of an archive of images.
struct ArchiveWriter: ~Copyable {
    private let file: Descriptor
    private let store: Store
    let cancellation: Cancellation
    private var written: Set<ByteString> = []

    init(_ file: consuming Descriptor, _ store: Store, _ cancellation: Cancellation) {
        self.file = file
        self.store = store
        self.cancellation = cancellation
    }

    /// Writes a blob under `name`, unless that is there already.
    mutating func add(_ name: ByteString, _ digest: Digest, _ blob: SavedBlob) throws(LaminaError) {
        guard written.insert(name).inserted else { return }
        let thing = "blob \(digest)"
        switch blob {
        case .document(let bytes): try add(name, bytes)
        case .layer(let size):
            try begin(name, size: size)
            do throws(StoreError) {
                try store.readLayer(digest) { (bytes) throws(StoreError) in
                    if cancellation.isCancelled { throw .layer(.cancelled) }
                    do throws(Errno) { try file.writeAll(bytes) } catch { throw .system("write it", error) }
                }
            } catch {
                throw LaminaError(error, about: "layer \(digest)")
            }
            try end(size: size)
        case .blob(let size):
            try begin(name, size: size)
            let source = try Engine.storing(thing) { () throws(StoreError) in try store.openBlob(digest) }
            try copy(DescriptorSource(source), size: size, digest, thing)
            try end(size: size)
        }
    }

    /// Writes a blob that was made for this archive under `name`, unless that is there already.
    mutating func add(
        _ name: ByteString, _ digest: Digest, _ blob: borrowing StagedBlob
    ) throws(LaminaError) {
        guard written.insert(name).inserted else { return }
        try begin(name, size: blob.size)
        let source: Descriptor
        do throws(StoreError) { source = try blob.reader() } catch {
            throw LaminaError(error, about: "blob \(digest)")
        }
        try copy(DescriptorSource(source), size: blob.size, digest, "blob \(digest)")
        try end(size: blob.size)
    }

    /// Writes a document, also one whose name is there already.
    mutating func add(_ name: ByteString, _ bytes: [UInt8]) throws(LaminaError) {
        written.insert(name)
        try begin(name, size: UInt64(bytes.count))
        try write(bytes.raw)
        try end(size: UInt64(bytes.count))
    }

    mutating func finish() throws(LaminaError) {
        let end = TarHeaderWriter.end
        try write(end.raw)
    }

    private func copy(
        _ source: consuming DescriptorSource, size: UInt64, _ digest: Digest, _ thing: String
    ) throws(LaminaError) {
        var source = source
        var buffer = Buffer(capacity: 1 << 20)
        var hash = SHA256()
        var left = size
        do throws(CodecError) {
            while try buffer.fill(from: &source) {
                if cancellation.isCancelled { throw .cancelled }
                let count = Int(min(UInt64(buffer.count), left))
                left -= UInt64(count)
                hash.update(buffer.bytes.extracting(0..<count).raw)
                do throws(Errno) {
                    try file.writeAll(buffer.bytes.extracting(0..<count).raw)
                } catch {
                    throw .write(error)
                }
            }
        } catch {
            throw LaminaError(error, about: thing)
        }
        let found = hash.finish()
        guard left == 0, found == digest else {
            throw LaminaError(.badInput, thing, "digest does not match: got \(found)")
        }
    }

    private func begin(_ name: ByteString, size: UInt64) throws(LaminaError) {
        let entry = TarEntry(
            path: name, kind: .file, attributes: FileAttributes(type: .regular, permissions: 0o644),
            size: size)
        try write(TarHeaderWriter.header(of: entry).raw)
    }

    private func end(size: UInt64) throws(LaminaError) {
        let padding = [UInt8](repeating: 0, count: TarHeaderWriter.padding(behind: size))
        if !padding.isEmpty { try write(padding.raw) }
    }

    private func write(_ bytes: RawSpan) throws(LaminaError) {
        do throws(Errno) { try file.writeAll(bytes) } catch { throw LaminaError("archive", error) }
    }
}
