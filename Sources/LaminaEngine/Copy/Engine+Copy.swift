// Copying between the host and a sandbox, by Docker's rules for where things go (its reference of `cp`).

import Glibc
import LaminaCodec
import LaminaCore
import LaminaSystem

/// How files are copied.
public struct CopyOptions: Sendable {
    /// Keeps owners; otherwise files in a sandbox are root's, and on the host the caller's.
    public var keepsOwners = false
    /// Copies what a symlink at the source leads to, rather than the symlink.
    public var followsLink = false
    /// Stops the copy.
    public var cancellation = Cancellation()

    public init() {}
}

/// One side of a copy with the host on it.
public enum CopyEnd: Sendable, Hashable {
    case path(ByteString)
    /// A tar on a descriptor, which stays the caller's.
    case stream(Int32)
}

extension Engine {
    /// Copies a file or directory of a sandbox to the host, or into a tar; returns the bytes of its files. A
    /// sandbox that is not mounted is mounted read-only meanwhile.
    ///
    /// Throws `notFound` for an unknown sandbox, a missing source or a missing directory of the destination,
    /// `badInput` where a file would take the place of a directory or the other way round.
    @discardableResult
    public func copy(
        from path: ByteString, of name: String, to destination: CopyEnd,
        _ options: CopyOptions = CopyOptions()
    ) throws(LaminaError) -> UInt64 {
        try withRoot(of: name, readOnly: true) { (root) throws(LaminaError) in
            let place = CopyPlace(root: root, path: Self.rooted(path))
            switch destination {
            case .path(let path):
                let target = CopyPlace(root: nil, path: path)
                return try Self.copy(place, to: target, owner: options.keepsOwners ? .kept : .own, options)
            case .stream(let descriptor):
                return try Self.write(place, to: descriptor, options)
            }
        }
    }

    /// Copies a file or directory of the host, or what is in a tar, into a sandbox; returns the bytes of its
    /// files. A sandbox that is not mounted is mounted meanwhile.
    ///
    /// Throws as the other way; and `busy` for a sandbox that is mounted read-only.
    @discardableResult
    public func copy(
        _ source: CopyEnd, into path: ByteString, of name: String, _ options: CopyOptions = CopyOptions()
    ) throws(LaminaError) -> UInt64 {
        try withRoot(of: name, readOnly: false) { (root) throws(LaminaError) in
            let target = CopyPlace(root: root, path: Self.rooted(path))
            let owner = options.keepsOwners ? TarExtractor.Owner.kept : .id(uid: 0, gid: 0)
            switch source {
            case .path(let path):
                return try Self.copy(CopyPlace(root: nil, path: path), to: target, owner: owner, options)
            case .stream(let descriptor):
                return try Self.extract(descriptor, to: target, owner: owner, options)
            }
        }
    }

    private static func rooted(_ path: ByteString) -> ByteString {
        path.hasPrefix("/") ? path : ByteString("/") + path
    }

    /// Runs `body` with the root of a sandbox's mount, which is made and taken away if there is none.
    private func withRoot<Value>(
        of name: String, readOnly: Bool, _ body: (SharedDescriptor) throws(LaminaError) -> Value
    ) throws(LaminaError) -> Value {
        let sandbox = try sandbox(name)
        if sandbox.state == .mounted, let mountpoint = sandbox.mountpoint {
            return try body(try Self.openRoot(mountpoint))
        }
        var settings = MountSettings()
        settings.readOnly = readOnly
        let mountpoint = try mount(name, at: nil, settings)
        let result: Result<Value, LaminaError>
        do throws(LaminaError) {
            result = .success(try body(try Self.openRoot(mountpoint)))
        } catch {
            result = .failure(error)
        }
        do throws(LaminaError) {
            try unmountWhenIdle(name)
        } catch {
            // The copy's own error says more.
            if case .success = result { throw error }
        }
        return try result.get()
    }

    /// Waits up to 10 seconds for others who came to look: an indexer, or a program that is being started.
    private func unmountWhenIdle(_ name: String) throws(LaminaError) {
        for _ in 0..<200 {
            do throws(LaminaError) {
                return try unmount(name)
            } catch  where error.code == .busy {
                usleep(50_000)
            } catch {
                throw error
            }
        }
        try unmount(name)
    }

    private static func openRoot(_ path: ByteString) throws(LaminaError) -> SharedDescriptor {
        try system(path) { () throws(Errno) in
            SharedDescriptor(try Descriptor.open(path, OpenFlag.path | O_DIRECTORY))
        }
    }

    /// Decides where the source goes, and puts it there.
    private static func copy(
        _ source: CopyPlace, to target: CopyPlace, owner: TarExtractor.Owner, _ options: CopyOptions
    ) throws(LaminaError) -> UInt64 {
        let follow = options.followsLink || source.endsInSlash
        let found = try system(source.path) { () throws(Errno) in try source.status(follow: follow) }
        guard let found else { throw LaminaError(source.path, .noSuchFileOrDirectory) }
        let isDirectory = found.type == .directory
        let there = try system(target.path) { () throws(Errno) in try target.status(follow: true) }
        if there?.type == .directory {
            let name = isDirectory && source.isContents ? ByteString() : try lastName(of: source)
            return try copy(source, as: name, into: target, owner, options)
        }
        if isDirectory {
            if there != nil {
                throw LaminaError(.badInput, "\(target.path)", "cannot copy a directory to a file")
            }
            return try copy(source, toNew: target, owner, options)
        }
        if target.endsInSlash || target.split == nil {
            throw LaminaError(target.path, there == nil ? .noSuchFileOrDirectory : .notDirectory)
        }
        let end = try system(target.path) { () throws(Errno) in try target.followingLinks() }
        guard let (parent, name) = end.split else { throw LaminaError(target.path, .noSuchFileOrDirectory) }
        return try copy(source, as: name, into: CopyPlace(root: target.root, path: parent), owner, options)
    }

    /// A directory that is not there yet becomes the source's copy.
    private static func copy(
        _ source: CopyPlace, toNew target: CopyPlace, _ owner: TarExtractor.Owner, _ options: CopyOptions
    ) throws(LaminaError) -> UInt64 {
        guard let (parent, name) = target.split else {
            throw LaminaError(target.path, .noSuchFileOrDirectory)
        }
        return try copy(source, as: name, into: CopyPlace(root: target.root, path: parent), owner, options)
    }

    private static func copy(
        _ source: CopyPlace, as name: ByteString, into directory: CopyPlace, _ owner: TarExtractor.Owner,
        _ options: CopyOptions
    ) throws(LaminaError) -> UInt64 {
        let items = try CopySource(source, as: name, followLink: options.followsLink)
        let failure = LayerTarFailure()
        var tar = LayerTarSource(items.items, of: items.files, failure: failure)
        var extractor = TarExtractor(
            below: try openDirectory(directory), named: directory.path, owner: owner)
        do throws(LaminaError) {
            try extractor.extract(&tar, options.cancellation)
        } catch {
            throw failure.reason ?? error
        }
        return extractor.copied
    }

    private static func openDirectory(_ place: CopyPlace) throws(LaminaError) -> Descriptor {
        try system(place.path) { () throws(Errno) in try place.open(nil, O_RDONLY | O_DIRECTORY) }
    }

    /// The name that a source has in the directory that it is copied to.
    private static func lastName(of source: CopyPlace) throws(LaminaError) -> ByteString {
        if let name = source.split?.name { return name }
        // `..` and the like: the name of what it is.
        if source.root == nil, let name = try resolved(source.path).components.last { return name }
        return ByteString()
    }

    /// A tar of the source, under its own name.
    private static func write(
        _ source: CopyPlace, to descriptor: Int32, _ options: CopyOptions
    ) throws(LaminaError) -> UInt64 {
        let name = source.isContents ? ByteString() : try lastName(of: source)
        let items = try CopySource(source, as: name, followLink: options.followsLink)
        let failure = LayerTarFailure()
        var tar = LayerTarSource(items.items, of: items.files, failure: failure)
        let file = try system("stdout") { () throws(Errno) in try Descriptor.duplicate(of: descriptor) }
        var buffer = Buffer(capacity: 1 << 20)
        var count: UInt64 = 0
        do throws(CodecError) {
            while try buffer.fill(from: &tar) {
                if options.cancellation.isCancelled { throw .cancelled }
                do throws(Errno) { try file.writeAll(buffer.bytes.raw) } catch { throw .write(error) }
                count += UInt64(buffer.count)
            }
        } catch {
            throw failure.reason ?? LaminaError(error, about: "\(source.path)")
        }
        return count
    }

    /// What is in a tar, plain or compressed, goes into a directory that is there.
    private static func extract(
        _ descriptor: Int32, to target: CopyPlace, owner: TarExtractor.Owner, _ options: CopyOptions
    ) throws(LaminaError) -> UInt64 {
        let directory = try openDirectory(target)
        let file = try system("stdin") { () throws(Errno) in try Descriptor.duplicate(of: descriptor) }
        var extractor = TarExtractor(below: directory, named: target.path, owner: owner)
        var source: DecompressingSource<DescriptorSource>
        do throws(CodecError) {
            source = try DecompressingSource(DescriptorSource(file))
        } catch {
            throw LaminaError(error, about: "stdin")
        }
        try extractor.extract(&source, options.cancellation)
        return extractor.copied
    }
}
