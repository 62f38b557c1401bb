// Writing xattrs in their inline form.

import LaminaCore

/// The union's own xattrs. All are in `trusted.overlay.`, which a layer's own names never
/// enter: those are escaped.
enum UnionMark {
    /// `trusted.overlay.opaque` = `y`.
    case opaque
    /// `trusted.overlay.lamina.implied`, empty: a directory that the layer never named.
    case implied
    /// `trusted.overlay.lamina.link`: a hard link to this path in the layers below.
    case link(ByteString)
    /// `trusted.overlay.metacopy`, empty: the bytes are elsewhere.
    case metacopy
    /// `trusted.overlay.redirect`: the object's path below `objects/`.
    case redirect(Digest)

    /// The names without `trusted.`, as the reader compares them.
    static let opaqueName: StaticString = "overlay.opaque"
    static let impliedName: StaticString = "overlay.lamina.implied"
    static let linkName: StaticString = "overlay.lamina.link"
    static let metacopyName: StaticString = "overlay.metacopy"
    static let redirectName: StaticString = "overlay.redirect"

    fileprivate var suffix: StaticString {
        switch self {
        case .opaque: Self.opaqueName
        case .implied: Self.impliedName
        case .link: Self.linkName
        case .metacopy: Self.metacopyName
        case .redirect: Self.redirectName
        }
    }

    fileprivate var value: [UInt8] {
        switch self {
        case .opaque: Array("y".utf8)
        case .implied, .metacopy: []
        case .link(let path): Array(path.bytes)
        case .redirect(let digest): digest.objectPath
        }
    }
}

extension AttributeBlock {
    /// Appends one of the union's own xattrs.
    static func append(_ mark: UnionMark, to block: inout [UInt8]) {
        // SAFETY: a literal's own bytes.
        let suffix = unsafe Array(
            UnsafeBufferPointer(start: mark.suffix.utf8Start, count: mark.suffix.utf8CodeUnitCount))
        append(index: trustedIndex, suffix: suffix[...], value: mark.value, to: &block)
    }

    /// Appends an xattr. The suffix has at most 255 bytes, the value at most 65 535.
    static func append(index: UInt8, suffix: ArraySlice<UInt8>, value: [UInt8], to block: inout [UInt8]) {
        if block.isEmpty { block = [UInt8](repeating: 0, count: headerSize) }
        block.append(UInt8(truncatingIfNeeded: suffix.count))
        block.append(index)
        block.append(UInt8(truncatingIfNeeded: value.count))
        block.append(UInt8(truncatingIfNeeded: value.count >> 8))
        block += suffix
        block += value
        while block.count % 4 != 0 { block.append(0) }
    }
}
