// Making an image of a root filesystem that no image came with.

import Foundation
import Glibc
import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem

/// How a root filesystem becomes an image.
public struct ImportOptions: Sendable {
    public var message: String?
    /// Instructions as of `CommitOptions`.
    public var changes: [String] = []
    /// `os/architecture[/variant]`; nil for that of this machine.
    public var platform: String?
    public var compression = LayerCompression.standard
    /// Stops the import.
    public var cancellation = Cancellation()

    public init() {}
}

extension Engine {
    /// Makes an image of one layer of a directory, or of a tar that is plain or compressed; a tar's bytes
    /// stay as they are, so that its digest is the diffID. Returns the image's id. O(bytes).
    ///
    /// Throws `badInput` for a tar that is none, `usage` for wrong changes or a wrong platform,
    /// `interrupted` when the options' cancellation says so.
    @discardableResult
    public func importImage(
        _ input: LoadInput, as reference: String? = nil, _ options: ImportOptions = ImportOptions()
    ) throws(LaminaError) -> Digest {
        var changes: [ConfigChange] = []
        for text in options.changes { changes.append(try ConfigChange(text)) }
        let target = try reference.map { text throws(LaminaError) in try newName(text) }
        let platform = try options.platform.map { text throws(LaminaError) in try Platform(text) } ?? .host
        let lease = try lease()
        let claims = try claims()
        let (layer, name) = try importLayer(input, claims.owner, options)
        var config = NewConfig(platform: platform, created: RFC3339.now())
        config.add(
            layer.summary.diffID, createdBy: "", author: nil,
            message: options.message ?? "Imported from \(name)")
        config.apply(changes)
        let image = try record(
            config: config.bytes, layers: [layer.descriptor], references: target.map { [$0] } ?? [],
            owner: claims.owner)
        _ = consume lease
        return image.id
    }

    /// The layer, and how the input is called.
    private func importLayer(
        _ input: LoadInput, _ owner: String, _ options: ImportOptions
    ) throws(LaminaError) -> (NewLayer, String) {
        guard case .path(let path) = input else {
            let file = try Self.system("stdin") { () throws(Errno) in
                try Descriptor.duplicate(of: FileHandle.standardInput.fileDescriptor)
            }
            return (try importTar(file, "stdin", owner, options), "-")
        }
        let name = path.description
        let file = try Self.system(path) { () throws(Errno) in try Descriptor.open(path, O_RDONLY) }
        guard try Self.system(path, { () throws(Errno) in try file.status().type }) == .directory else {
            return (try importTar(file, name, owner, options), name)
        }
        let tree = try HostTree(path)
        let failure = LayerTarFailure()
        let source = LayerTarSource(try tree.items(), of: tree, failure: failure)
        do throws(LaminaError) {
            return (
                try makeLayer(
                    source, options.compression, options.cancellation, owner: owner, named: name), name
            )
        } catch {
            throw failure.reason ?? error
        }
    }

    private func importTar(
        _ file: consuming Descriptor, _ name: String, _ owner: String, _ options: ImportOptions
    ) throws(LaminaError) -> NewLayer {
        let source: DecompressingSource<DescriptorSource>
        do throws(CodecError) {
            source = try DecompressingSource(DescriptorSource(file))
        } catch {
            throw LaminaError(error, about: name)
        }
        return try makeLayer(
            source, options.compression, options.cancellation, owner: owner, named: name)
    }
}

extension Platform {
    /// `os/architecture[/variant]`.
    init(_ text: String) throws(LaminaError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw LaminaError(.usage, "--platform \(text)", "is not os/architecture[/variant]")
        }
        self.init(architecture: parts[1], os: parts[0], variant: parts.count == 3 ? parts[2] : nil)
    }
}
