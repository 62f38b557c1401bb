// ModelNode is one object of the model: what POSIX says a file or directory is.

import LaminaCore

/// A file, directory, symlink or device of the model.
final class ModelNode {
    /// Never given twice in one model.
    let id: UInt64
    let type: FileType
    let device: DeviceNumber
    /// Which redirect it is of; 0 is none.
    let redirect: Int
    /// Whether a redirect stands there.
    var isPoint = false
    /// Whether a layer made it.
    let isLower: Bool
    /// Whether a layer's bytes for it are an object.
    var isObject = false
    var permissions: UInt32
    var uid: UInt32
    var gid: UInt32
    var time: ModificationTime
    var bytes: [UInt8] = []
    var target = ByteString()
    var attributes: [ByteString: [UInt8]] = [:]
    /// Names; of a directory 1, and 0 when it was removed.
    var links = 1
    /// Names that the layer gave it which the layers above took away: overlayfs still counts them.
    var hiddenLinks = 0
    /// Whether its bytes were written to, so that overlayfs has copied them.
    var isWritten = false
    var entries: [ByteString: ModelNode] = [:]
    weak var parent: ModelNode?

    init(
        id: UInt64, type: FileType, permissions: UInt32, uid: UInt32, gid: UInt32,
        time: ModificationTime = .recent, device: DeviceNumber = .zero, isLower: Bool = false,
        redirect: Int = 0
    ) {
        self.redirect = redirect
        self.id = id
        self.type = type
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.time = time
        self.device = device
        self.isLower = isLower
    }

    var isDirectory: Bool { type == .directory }

    /// Whether `other` is this directory or stands below it.
    func holds(_ other: ModelNode) -> Bool {
        var current: ModelNode? = other
        while let node = current {
            if node === self { return true }
            current = node.parent
        }
        return false
    }

    var status: NodeStatus {
        let size =
            switch type {
            case .regular: bytes.count
            case .symlink: target.count
            default: 0
            }
        let subdirectories = entries.values.filter(\.isDirectory).count
        return NodeStatus(
            type: type, permissions: permissions, uid: uid, gid: gid, device: device, size: size,
            links: isDirectory && links > 0 ? 2 + subdirectories : links, time: time, identity: id)
    }
}
