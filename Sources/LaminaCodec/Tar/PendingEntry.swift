// PendingEntry owns what extension headers said, until the entry they belong to comes.

import LaminaCore

/// Headers that are no entries themselves.
enum TarExtension: Sendable, Equatable {
    /// GNU `L` and `K`: the name or link target of the next entry.
    case longName
    case longLink
    /// PAX `x`, and Solaris's `X`, which is the same.
    case local
    /// PAX `g`.
    case global
    /// GNU `V`: the name of the archive.
    case volumeLabel

    init?(type: UInt8) {
        switch type {
        case UInt8(ascii: "L"): self = .longName
        case UInt8(ascii: "K"): self = .longLink
        case UInt8(ascii: "x"), UInt8(ascii: "X"): self = .local
        case UInt8(ascii: "g"): self = .global
        case UInt8(ascii: "V"): self = .volumeLabel
        default: return nil
        }
    }
}

/// Where the map of a sparse file is.
enum PendingSparse {
    /// In headers that were read.
    case known(SparseMap)
    /// In blocks between header and payload.
    case follows(SparseMapReader)
    /// In the first blocks of the payload.
    case leads(SparseMapReader)
}

/// Why a header makes no entry.
enum EntryFault: Error {
    case tar(TarFault)
    case layer(LayerError)
}

/// The extension headers in force, and the entry that they and its own header make.
struct PendingEntry {
    private var longName: [UInt8]?
    private var longLink: [UInt8]?
    private var local = PaxRecords()
    private var hasLocal = false
    private var global = PaxRecords()
    private var globalSize = 0

    /// Whether something waits for an entry.
    var isOpen: Bool { longName != nil || longLink != nil || hasLocal }

    /// Forgets what held for one entry only.
    mutating func closeEntry() {
        longName = nil
        longLink = nil
        if hasLocal { local = PaxRecords() }
        hasLocal = false
    }

    /// Takes the payload of an extension header. A later header of one kind
    /// replaces an earlier one, but for global ones, which add up.
    mutating func take(_ kind: TarExtension, _ payload: [UInt8], globalLimit: Int) throws(TarFault) {
        switch kind {
        case .longName: longName = Array(payload.prefix { $0 != 0 })
        case .longLink: longLink = Array(payload.prefix { $0 != 0 })
        case .local:
            local = PaxRecords()
            hasLocal = true
            try local.add(payload)
        case .global:
            globalSize += payload.count
            if globalSize > globalLimit { throw .extendedHeaderTooLarge }
            try global.add(payload)
        case .volumeLabel: break
        }
    }

    /// Bytes between this header and the next, without padding.
    func payloadSize(_ header: TarHeader) throws(TarFault) -> UInt64 {
        switch header.type {
        case UInt8(ascii: "S") where header.sparse != nil, 0, UInt8(ascii: "0"), UInt8(ascii: "7"),
            UInt8(ascii: "D"):
            guard let size = UInt64(exactly: local.size.over(global.size) ?? header.size) else {
                throw .numberOutOfRange
            }
            return size
        case UInt8(ascii: "1")...UInt8(ascii: "6"):
            // These have no payload, whatever their size says.
            return 0
        case UInt8(ascii: "S") where header.sparse == nil: throw .unsupportedSparse
        default: throw .unsupportedType
        }
    }

    /// What is known of the holes of the file that `header` starts; nil when it has none.
    func sparse(_ header: TarHeader) throws(TarFault) -> PendingSparse? {
        if !global.sparse.isEmpty { throw .unsupportedSparse }
        if let sparse = header.sparse {
            if sparse.isExtended {
                return .follows(SparseMapReader(.blocks, size: sparse.size, numbers: sparse.numbers))
            }
            return .known(try SparseMap(size: sparse.size, numbers: sparse.numbers))
        }
        switch try local.sparse.form() {
        case nil: return nil
        case .records(let map): return .known(map)
        case .payload(let size): return .leads(SparseMapReader(.lines, size: size))
        }
    }
}

extension PendingEntry {
    /// The entry that `header` and what came before it make.
    func entry(_ header: TarHeader, size: UInt64, isSparse: Bool) throws(EntryFault) -> TarEntry {
        let ownName = isSparse ? local.sparse.name : nil
        let name = ownName ?? local.path.over(global.path) ?? longName ?? header.name
        let path: ByteString
        let (kind, type): (TarEntryKind, FileType)
        let extended: [ExtendedAttribute]
        do throws(LayerError) {
            path = try EntryPath.normalised(name)
            (kind, type) = try self.kind(header, name: name, path: path)
            extended = try extendedAttributes(path: path, type)
        } catch {
            throw .layer(error)
        }
        do throws(TarFault) {
            if isSparse && kind != .file { throw .badSparseMap }
            return TarEntry(
                path: path, kind: kind, attributes: try attributes(header, type),
                extendedAttributes: extended, size: kind == .file ? size : 0)
        } catch {
            throw .tar(error)
        }
    }

    private func kind(
        _ header: TarHeader, name: [UInt8], path: ByteString
    ) throws(LayerError) -> (TarEntryKind, FileType) {
        let result: (TarEntryKind, FileType)
        switch header.type {
        case 0 where name.last == UInt8(ascii: "/"): result = (.directory, .directory)
        case UInt8(ascii: "1"): result = (.hardLink(target: try hardLinkTarget(header, path)), .regular)
        case UInt8(ascii: "2"): result = (.symlink(target: try symlinkTarget(header, path)), .symlink)
        case UInt8(ascii: "3"): result = (.device, .characterDevice)
        case UInt8(ascii: "4"): result = (.device, .blockDevice)
        case UInt8(ascii: "5"), UInt8(ascii: "D"): result = (.directory, .directory)
        case UInt8(ascii: "6"): result = (.fifo, .fifo)
        default: result = (.file, .regular)
        }
        if path.isEmpty && result.1 != .directory { throw .emptyName }
        return result
    }

    private func linkName(_ header: TarHeader) -> [UInt8] {
        local.linkPath.over(global.linkPath) ?? longLink ?? header.linkName
    }

    private func hardLinkTarget(_ header: TarHeader, _ path: ByteString) throws(LayerError) -> ByteString {
        let target = try EntryPath.normalised(linkName(header))
        if target.isEmpty { throw .emptyLinkTarget(path) }
        if target == path { throw .hardLinkToItself(path) }
        return target
    }

    private func symlinkTarget(_ header: TarHeader, _ path: ByteString) throws(LayerError) -> ByteString {
        var target = linkName(header)
        if target.isEmpty { throw .emptyLinkTarget(path) }
        if !local.windowsAttributes.isEmpty { target = WindowsLink.target(target) }
        if target.count > Limits.symlinkLength { throw .symlinkTargetTooLong(path) }
        return ByteString(target)
    }

    private func attributes(_ header: TarHeader, _ type: FileType) throws(TarFault) -> FileAttributes {
        guard let uid = UInt32(exactly: local.uid.over(global.uid) ?? header.uid),
            let gid = UInt32(exactly: local.gid.over(global.gid) ?? header.gid)
        else { throw .numberOutOfRange }
        return FileAttributes(
            // Linux keeps no permissions of symlinks: lstat(2) always answers 0777.
            type: type, permissions: type == .symlink ? 0o777 : header.mode, uid: uid, gid: gid,
            mtime: local.mtime.over(global.mtime) ?? Timestamp(seconds: header.mtime),
            device: header.device)
    }

    private func extendedAttributes(
        path: ByteString, _ type: FileType
    ) throws(LayerError) -> [ExtendedAttribute] {
        if !global.hasAttributes && !local.hasAttributes { return [] }
        var values = global.mergedAttributes
        values.merge(local.mergedAttributes) { $1 }
        // Linux has `user.` xattrs on these two alone. What is too long for one is in the tar.
        if type == .regular || type == .directory {
            for (name, value) in local.windowsAttributes
            where name.count <= Limits.extendedAttributeNameLength
                && value.count <= Limits.extendedAttributeValueLength
            {
                values[name] = value
            }
        }
        var result: [ExtendedAttribute] = []
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            if name.count > Limits.extendedAttributeNameLength {
                throw .attributeNameTooLong(path: path, attribute: name)
            }
            if value.count > Limits.extendedAttributeValueLength {
                throw .attributeValueTooLong(path: path, attribute: name)
            }
            result.append(ExtendedAttribute(name: name, value: value))
        }
        return result
    }
}
