// Generated layers as what Lamina's index builder takes, and as tars.

import LaminaCodec
import LaminaCore
import LaminaTestSupport

extension GeneratedLayer {
    /// The layer for `FixtureStore`, with OCI whiteouts.
    public var fixture: [FixtureEntry] {
        entries.flatMap { entry -> [FixtureEntry] in
            let components = entry.path.components
            let parent = components.dropLast().reduce(ByteString()) { $0.appending($1) }
            let name = components.last ?? ByteString()
            let kind: TarEntryKind
            var bytes: [UInt8] = []
            switch entry.kind {
            case .whiteout: return [.whiteout(parent, name)]
            case .directory: kind = .directory
            case .file(let content):
                kind = .file
                bytes = content
            case .symlink(let target): kind = .symlink(target: target)
            case .fifo: kind = .fifo
            case .null: kind = .device
            case .hardLink(let target): kind = .hardLink(target: target)
            }
            let attributes = FileAttributes(
                type: entry.type, permissions: entry.permissions, uid: entry.uid, gid: entry.gid,
                mtime: entry.time, device: entry.device)
            let made = TarEntry(
                path: entry.path, kind: kind, attributes: attributes, extendedAttributes: entry.attributes,
                size: UInt64(bytes.count))
            let item = FixtureEntry(entry: made, bytes: bytes)
            return entry.kind == .directory(opaque: true) ? [item, .opaque(entry.path)] : [item]
        }
    }
}
