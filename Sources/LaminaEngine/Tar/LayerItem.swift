// LayerItem is one entry of a layer that is being made, and where its bytes come from.

import LaminaCodec
import LaminaCore

/// An entry and its bytes.
struct LayerItem: Sendable {
    enum Content: Sendable {
        case none
        /// A file that is, or was when it was held, at a path of `upper`; `merged` as in `Change`.
        case upper(path: ByteString, merged: UInt64?, HeldFile?)
        case lower(UInt64)
        /// A file at a path of a directory of the host.
        case host(ByteString)
    }

    /// Of a file, its size is set when it is opened, and its time where others may write it.
    var entry: TarEntry
    var content: Content = .none
}

extension LayerItem {
    /// One more name of what stands at `first`.
    static func link(to first: ByteString, at path: ByteString, _ attributes: FileAttributes) -> LayerItem {
        var attributes = attributes
        attributes.type = .regular
        attributes.device = .zero
        return LayerItem(
            entry: TarEntry(path: path, kind: .hardLink(target: first), attributes: attributes))
    }

    /// A layer reads such a name as a whiteout, so that no file of one can have it.
    ///
    /// Throws `failure` naming the file.
    static func checkName(_ path: ByteString) throws(LaminaError) {
        guard path.components.last?.hasPrefix(Whiteout.prefix) != true else {
            throw LaminaError(
                .failure, "/\(path)",
                "no layer can hold a file whose name begins with .wh., which marks deleted ones"
            )
        }
    }
}

extension TarEntryKind {
    /// What a node of this type is in a tar; a socket is nothing there.
    init(_ type: FileType, symlinkTarget target: ByteString) {
        switch type {
        case .directory: self = .directory
        case .symlink: self = .symlink(target: target)
        case .characterDevice, .blockDevice: self = .device
        case .fifo: self = .fifo
        case .regular, .socket: self = .file
        }
    }
}
