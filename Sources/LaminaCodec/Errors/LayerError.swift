// LayerError owns the reasons for which a layer is refused though its tar is well formed.
// The tar parser and every sink of entries share it.

import LaminaCore

/// Why the entries of a layer cannot become a tree.
///
/// Names: an entry's path with a `..` component or a leading `/` is refused, and so is such a
/// target of a hard link. The one exception is `/` itself, which some writers use for the
/// root directory. Targets of symlinks are any bytes: they are resolved in the container.
public enum LayerError: Error, Hashable, Sendable {
    /// An entry that is not a directory and whose name has no component.
    case emptyName
    case absoluteName(ByteString)
    /// A name with a `..` component.
    case parentReference(ByteString)
    /// A component of more than `Limits.nameLength` bytes.
    case nameTooLong(ByteString)
    /// More than `Limits.pathLength` bytes; holds the first of them.
    case pathTooLong(ByteString)
    /// More than `Limits.depth` components.
    case pathTooDeep(ByteString)
    case emptyLinkTarget(ByteString)
    /// A symlink's target of more than `Limits.symlinkLength` bytes.
    case symlinkTargetTooLong(ByteString)
    /// A parent of the entry is neither directory nor symlink in the same layer.
    case parentNotDirectory(path: ByteString, parent: ByteString)
    /// A parent of the entry is a symlink in the same layer.
    case parentIsSymlink(path: ByteString, parent: ByteString)
    case hardLinkTargetMissing(path: ByteString, target: ByteString)
    case hardLinkToItself(ByteString)
    case hardLinkToDirectory(path: ByteString, target: ByteString)
    /// `.wh.` without a name, or a whiteout of `.` or `..`.
    case badWhiteout(ByteString)
    case attributeNameTooLong(path: ByteString, attribute: ByteString)
    case attributeValueTooLong(path: ByteString, attribute: ByteString)
    /// An xattr that no index can express: `system.` names other than the two POSIX ACLs.
    case attributeNotStorable(path: ByteString, attribute: ByteString)
    /// More than 256 KiB of xattrs on one node.
    case attributesTooLarge(ByteString)
    /// A device number beyond 12 bits major and 20 bits minor.
    case badDevice(ByteString)
    case tooManyEntries(limit: UInt64)
    case tooManyBytes(limit: UInt64)
    /// More than `limit` bytes of link targets and xattrs.
    case metadataTooLarge(limit: UInt64)
    /// With this file, the sparse ones of the layer have more than `limit` bytes, holes counted.
    case sparseTooLarge(ByteString, limit: UInt64)
    /// More than `limit` times as many bytes out of the decompressor as into it.
    case expandsTooMuch(limit: UInt64)
}

extension LayerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .emptyName: "an entry without a name"
        case .absoluteName(let path): "\(path): absolute names are refused"
        case .parentReference(let path): "\(path): names with '..' are refused"
        case .nameTooLong(let path): "\(path): a name of more than \(Limits.nameLength) bytes"
        case .pathTooLong(let path): "\(path)…: a path of more than \(Limits.pathLength) bytes"
        case .pathTooDeep(let path): "\(path): more than \(Limits.depth) directories deep"
        case .emptyLinkTarget(let path): "\(path): a link without a target"
        case .symlinkTargetTooLong(let path): "\(path): a symlink of more than \(Limits.symlinkLength) bytes"
        case .parentNotDirectory(let path, let parent): "\(path): its parent \(parent) is not a directory"
        case .parentIsSymlink(let path, let parent): "\(path): its parent \(parent) is a symlink"
        case .hardLinkTargetMissing(let path, let target):
            "\(path): hard link to \(target), which is not there"
        case .hardLinkToItself(let path): "\(path): hard link to itself"
        case .hardLinkToDirectory(let path, let target): "\(path): hard link to the directory \(target)"
        case .badWhiteout(let path): "\(path): not the name of a whiteout"
        case .attributeNameTooLong(let path, let attribute):
            "\(path): the xattr name \(attribute) is too long"
        case .attributeValueTooLong(let path, let attribute):
            "\(path): the value of xattr \(attribute) is too long"
        case .attributeNotStorable(let path, let attribute):
            "\(path): the xattr \(attribute) cannot be stored"
        case .attributesTooLarge(let path): "\(path): more than 256 KiB of xattrs"
        case .badDevice(let path): "\(path): a device number out of range"
        case .tooManyEntries(let limit): "more than \(limit) entries"
        case .tooManyBytes(let limit): "more than \(limit) bytes"
        case .metadataTooLarge(let limit): "more than \(limit) bytes of link targets and xattrs"
        case .sparseTooLarge(let path, let limit): "\(path): more than \(limit) bytes of sparse files"
        case .expandsTooMuch(let limit): "expands to more than \(limit) times its size"
        }
    }
}
