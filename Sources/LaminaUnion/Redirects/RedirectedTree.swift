// RedirectedTree is what stands at a redirect's point: files of this machine, or an image.

import LaminaCore

enum RedirectedTree: Sendable {
    case host(HostTree)
    case image(ImageTree)

    var redirect: Redirect {
        switch self {
        case .host(let tree): tree.redirect
        case .image(let tree): tree.redirect
        }
    }

    var isDirectory: Bool {
        switch self {
        case .host(let tree): tree.isDirectory
        case .image(let tree): tree.isDirectory
        }
    }
}

extension Redirect {
    /// The value of `user.lamina.redirect`, in the words of `--mount`.
    var attribute: [UInt8] {
        var text = ByteString("type=\(kind.rawValue)")
        if !source.isEmpty { text = text + ",source=" + source }
        text = text + ",target=" + target
        if let subpath { text = text + (kind == .image ? ",image-subpath=" : ",volume-subpath=") + subpath }
        if readOnly { text = text + ",readonly" }
        if consistency == .consistent { text = text + ",consistency=consistent" }
        if let size { text = text + ByteString(",tmpfs-size=\(size)") }
        if let permissions { text = text + ByteString(",tmpfs-mode=\(String(permissions, radix: 8))") }
        return Array(text.bytes)
    }
}
