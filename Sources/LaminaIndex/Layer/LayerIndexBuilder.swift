// LayerIndexBuilder owns the step from a layer's tar entries to its index: each entry is
// checked as it comes, so that a bad layer is refused before anything is written.

import LaminaCodec
import LaminaCore
import LaminaSystem

/// Takes the entries of one layer in tar order and writes the layer's index.
///
/// Rules (OCI image specification, `layer.md`; docs/FORMAT.md, "Layer index"): the last
/// entry of a path counts; a directory over a directory keeps what is in it; whiteouts and
/// opaque markers hide lower layers only, wherever they stand in the tar; a directory that
/// only its contents imply is 0755 root and takes the attributes of the layers below in a
/// merge; a hard link to a path that this layer lacks is resolved in the merge.
public struct LayerIndexBuilder: LayerEntrySink, ~Copyable {
    private var tree: LayerTree
    private let entryLimit: Int
    private var entryCount = 0
    private var streams = StreamHolder()
    /// The first xattr left out since no Linux filesystem can hold its name, such as
    /// `com.apple.provenance`, and how many there were.
    public private(set) var foreignAttributes: (first: ByteString, count: Int)?

    /// `entryLimit` bounds the entries, and the names of the tree with those that they imply.
    public init(entryLimit: Int = Limits.entriesPerLayer) {
        // Links are numbered in 32 bits.
        self.entryLimit = min(max(entryLimit, 0), Int(Int32.max) - 1)
        tree = LayerTree(nameLimit: self.entryLimit)
    }

    /// Adds one entry. O(path) expected.
    ///
    /// - Throws: `LayerError`, after which the builder must not be used.
    public mutating func add(_ entry: TarEntry, data: FileData) throws(LayerError) {
        entryCount += 1
        guard entryCount <= entryLimit else { throw .tooManyEntries(limit: UInt64(entryLimit)) }
        if let stream = entry.alternateStream, streams.take(stream, entry.path) { return }
        let isStream = streams.own(entry.path)
        if !isStream { try storeStreams() }
        guard !entry.path.isEmpty else { return try addRoot(entry) }
        let (directory, name) = try tree.parent(of: entry.path)
        if name.hasPrefix(Whiteout.prefix), try addWhiteout(name, in: directory, entry.path) { return }
        guard name.count <= Limits.nameLength else { throw .nameTooLong(entry.path) }
        let number = try tree.link(name, in: directory)
        switch entry.kind {
        case .hardLink(let target): try addHardLink(number, target, entry)
        case .directory: try addDirectory(number, entry)
        case .device where entry.attributes.type == .characterDevice && entry.attributes.device == .zero:
            // overlayfs's own whiteout, from a tool that packed an upper directory.
            tree.names.update(number) { $0.hidesLower = true }
        case .device, .fifo, .file, .symlink: try tree.set(number, to: makeNode(entry, data))
        }
        let node = tree.names.links[number].node
        if node >= 0, !isStream {
            streams.follow(entry, node: node, used: Int(tree.table.nodes[Int(node)].attributes.count))
        }
    }

    /// Writes the index to `file` and returns its size in bytes. The caller makes it durable.
    ///
    /// - Parameters:
    ///   - diffID: the layer's name, which becomes the device slot's tag.
    ///   - streamSize: bytes of the layer's `stream` file.
    /// - Throws: `IndexError.tooLarge` or `.system`.
    /// - Complexity: O(n log n) in entries at most; O(n) when the tar is sorted.
    @discardableResult
    public consuming func finish(
        diffID: Digest, streamSize: UInt64, to file: borrowing Descriptor
    ) throws(IndexError) -> Int {
        guard let device = TreeDevice(diffID: diffID, streamSize: streamSize) else {
            throw .tooLarge("a stream of 2 TiB")
        }
        do throws(LayerError) { try storeStreams() } catch { throw .tooLarge("names and xattrs of 4 GiB") }
        try tree.finish()
        return try IndexWriter.write(tree.table, devices: [device], to: file)
    }

    /// Gives a file or directory its alternate data streams, of which the last was met.
    private mutating func storeStreams() throws(LayerError) {
        guard !streams.attributes.isEmpty else { return }
        let node = Int(streams.node)
        var block = Array(tree.table.bytes[tree.table.nodes[node].attributes.range])
        for attribute in streams.attributes {
            _ = try AttributeBlock.append(attribute, to: &block, path: attribute.name)
        }
        streams.clear()
        tree.table.nodes[node].attributes = try tree.store(block.raw)
    }

    private mutating func addRoot(_ entry: TarEntry) throws(LayerError) {
        guard entry.kind == .directory else { throw .emptyName }
        try replaceDirectory(0, entry)
    }

    /// Whether `name` was a whiteout or an opaque marker. AUFS's other names are not: they
    /// are kept until the end, since hard links may lead to them.
    private mutating func addWhiteout(
        _ name: ByteString, in directory: Int32, _ path: ByteString
    ) throws(LayerError) -> Bool {
        if name == Whiteout.opaqueMarker {
            tree.marks[Int(directory)].insert(.opaque)
            return true
        }
        if name.hasPrefix(Whiteout.metadataPrefix) { return false }
        let hidden = name.dropFirst(Whiteout.prefix.count)
        guard !hidden.isEmpty, hidden != ".", hidden != ".." else { throw .badWhiteout(path) }
        let number = try tree.link(hidden, in: directory)
        tree.names.update(number) { $0.hidesLower = true }
        return true
    }

    private mutating func addDirectory(_ number: Int, _ entry: TarEntry) throws(LayerError) {
        let old = tree.names.links[number].node
        if old >= 0, tree.isDirectory(old) { return try replaceDirectory(old, entry) }
        let node = tree.append(Node(entry.attributes, content: .directory(first: 0, count: 0)))
        try replaceDirectory(node, entry)
        tree.set(number, to: node)
    }

    /// Gives a directory the attributes of `entry`; what is in it stays.
    private mutating func replaceDirectory(_ node: Int32, _ entry: TarEntry) throws(LayerError) {
        var attributes = entry.attributes
        attributes.type = .directory
        let extended = try store(entry, marks: [])
        tree.table.nodes[Int(node)] = Node(
            attributes, content: .directory(first: 0, count: 0), extended: extended)
        tree.marks[Int(node)].remove(.implied)
    }

    private mutating func addHardLink(
        _ number: Int, _ target: ByteString, _ entry: TarEntry
    ) throws(LayerError) {
        guard target != entry.path else { throw .hardLinkToItself(entry.path) }
        if let node = try tree.find(target) {
            guard !tree.isDirectory(node) else {
                throw .hardLinkToDirectory(path: entry.path, target: target)
            }
            return tree.set(number, to: node)
        }
        var attributes = entry.attributes
        attributes.type = .regular
        let extended = try store(entry, marks: [.link(target)])
        tree.set(number, to: tree.append(Node(attributes, content: .empty, extended: extended)))
    }

    private mutating func makeNode(_ entry: TarEntry, _ data: FileData) throws(LayerError) -> Int32 {
        var marks: [UnionMark] = []
        let content: NodeContent
        var attributes = entry.attributes
        // The kind decides, whatever a caller left in the attributes.
        attributes.type = entry.kind.type ?? attributes.type
        switch entry.kind {
        case .symlink(let target):
            guard !target.isEmpty else { throw .emptyLinkTarget(entry.path) }
            guard target.count <= Limits.symlinkLength else { throw .symlinkTargetTooLong(entry.path) }
            content = .symlink(try tree.store(target))
        case .device:
            guard attributes.type == .characterDevice || attributes.type == .blockDevice,
                let encoded = attributes.device.encoded
            else { throw .badDevice(entry.path) }
            content = .device(encoded)
        case .file:
            content = try Self.content(data, entry.path)
            if case .object(let digest, _) = data { marks = [.metacopy, .redirect(digest)] }
        case .fifo, .directory, .hardLink: content = .empty
        }
        let extended = try store(entry, marks: marks)
        return tree.append(Node(attributes, content: content, extended: extended))
    }

    private static func content(_ data: FileData, _ path: ByteString) throws(LayerError) -> NodeContent {
        switch data {
        case .empty, .stream(_, 0), .object(_, 0): return .empty
        case .object(_, let length):
            guard length <= Limits.fileSize else { throw .tooManyBytes(limit: Limits.fileSize) }
            return .object(size: length)
        case .stream(let offset, let length):
            let (block, rest) = offset.quotientAndRemainder(dividingBy: UInt64(Erofs.blockSize))
            guard rest == 0, let block = UInt32(exactly: block), block < Erofs.nullAddress,
                length <= UInt64(Limits.objectThreshold)
            else { throw .tooManyBytes(limit: UInt64(UInt32.max) * UInt64(Erofs.blockSize)) }
            return .stream(slot: 1, block: block, size: length)
        }
    }

    /// Encodes an entry's xattrs and the union's own.
    private mutating func store(_ entry: TarEntry, marks: [UnionMark]) throws(LayerError) -> ByteRange {
        guard !entry.extendedAttributes.isEmpty || !marks.isEmpty else { return .none }
        var block: [UInt8] = []
        for attribute in entry.extendedAttributes {
            if try !AttributeBlock.append(attribute, to: &block, path: entry.path) {
                foreignAttributes = (
                    foreignAttributes?.first ?? attribute.name, (foreignAttributes?.count ?? 0) + 1
                )
            }
        }
        for mark in marks { AttributeBlock.append(mark, to: &block) }
        // Room for the marks of a directory, which come last.
        guard block.count <= AttributeBlock.maximumSize - AttributeBlock.roomForMarks else {
            throw .attributesTooLarge(entry.path)
        }
        return try tree.store(block.raw)
    }
}

extension TarEntryKind {
    /// The type of node that it makes; nil for devices, of which there are two.
    fileprivate var type: FileType? {
        switch self {
        case .file, .hardLink: .regular
        case .directory: .directory
        case .symlink: .symlink
        case .fifo: .fifo
        case .device: nil
        }
    }
}

extension AttributeBlock {
    /// Appends a layer's own xattr under its escaped name. False when the name is of no
    /// namespace that Linux knows, so that no filesystem could hold it.
    fileprivate static func append(
        _ attribute: ExtendedAttribute, to block: inout [UInt8], path: ByteString
    ) throws(LayerError) -> Bool {
        var name = attribute.name
        guard name.count <= Limits.extendedAttributeNameLength else {
            throw .attributeNameTooLong(path: path, attribute: name)
        }
        guard attribute.value.count <= Limits.extendedAttributeValueLength else {
            throw .attributeValueTooLong(path: path, attribute: name)
        }
        if name.hasPrefix(Whiteout.attributePrefix) {
            name = Whiteout.escapedAttributePrefix + name.dropFirst(Whiteout.attributePrefix.count)
        }
        guard let namespace = namespace(of: name) else {
            if name.hasPrefix("system.") { throw .attributeNotStorable(path: path, attribute: name) }
            return false
        }
        let suffix = name.bytes.dropFirst(namespace.prefix.count)
        append(index: namespace.index, suffix: suffix, value: attribute.value, to: &block)
        return true
    }
}
