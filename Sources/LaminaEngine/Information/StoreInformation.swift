// StoreInformation is what a store holds, and what the machine lets it do.

import Foundation
import Glibc
import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

/// Facts for people who ask why something is as it is.
public struct StoreInformation: Sendable, Hashable {
    /// Something that the machine can do or not.
    public struct Feature: Sendable, Hashable {
        public var name: String
        public var isAvailable: Bool
        /// One line.
        public var reason: String
    }

    public var root: ByteString
    public var images: Int
    public var layers: Int
    public var sandboxes: Int
    public var mountedSandboxes: Int
    public var volumes: Int
    /// Bytes of the store's filesystem.
    public var totalBytes: UInt64
    public var availableBytes: UInt64
    public var kernel: String
    public var architecture: String
    public var processors: Int
    public var memoryBytes: UInt64
    /// `lamina-mountd`; nil when it was not found.
    public var mountServer: ByteString?
    public var features: [Feature]
}

extension Engine {
    /// Counts what the store has and asks the machine what it can do. O(images + sandboxes + mounts).
    public func information() throws(LaminaError) -> StoreInformation {
        let sandboxes = try sandboxes()
        let filesystem = try Self.system(root) { () throws(Errno) in try store.root.filesystemStatus() }
        let kernel = KernelRelease.current
        return StoreInformation(
            root: root,
            images: try catalogue { catalog throws(CatalogError) in try catalog.images().count },
            layers: try catalogue { catalog throws(CatalogError) in try catalog.layers().count },
            sandboxes: sandboxes.count, mountedSandboxes: sandboxes.filter { $0.state == .mounted }.count,
            volumes: try volumes().count,
            totalBytes: filesystem.blocks &* filesystem.fragmentSize,
            availableBytes: filesystem.availableBlocks &* filesystem.fragmentSize,
            kernel: kernel.text, architecture: Platform.host.architecture,
            processors: ProcessInfo.processInfo.activeProcessorCount,
            memoryBytes: ProcessInfo.processInfo.physicalMemory,
            mountServer: try? MountServer.program(), features: features(kernel))
    }

    private func features(_ kernel: KernelRelease) -> [StoreInformation.Feature] {
        [fuse(), passthrough(kernel), reflinks()]
    }

    private func fuse() -> StoreInformation.Feature {
        func feature(_ isAvailable: Bool, _ reason: String) -> StoreInformation.Feature {
            StoreInformation.Feature(name: "fuse", isAvailable: isAvailable, reason: reason)
        }
        guard (try? FileStatus.of("/dev/fuse")) != nil else { return feature(false, "there is no /dev/fuse") }
        if geteuid() == 0 {
            return (try? Descriptor.open("/dev/fuse", O_RDWR)) != nil
                ? feature(true, "/dev/fuse") : feature(false, "/dev/fuse cannot be opened")
        }
        guard let helper = Spawn.locate("fusermount3") else {
            return feature(false, "without root a mount needs fusermount3 (Debian package fuse3)")
        }
        return feature(true, "\(helper)")
    }

    /// What the mount server asks for too; only it can try.
    private func passthrough(_ kernel: KernelRelease) -> StoreInformation.Feature {
        func feature(_ isAvailable: Bool, _ reason: String) -> StoreInformation.Feature {
            StoreInformation.Feature(name: "passthrough", isAvailable: isAvailable, reason: reason)
        }
        if geteuid() != 0 || UserNamespace.isNested {
            return feature(false, "only root of the machine may hand files to the kernel")
        }
        guard kernel.isAtLeast(6, 9) else { return feature(false, "Linux \(kernel.text) is older than 6.9") }
        // Overlayfs, FUSE and eCryptfs: the kernel bounds how many filesystems stand on each other.
        let stacked: [UInt64] = [0x794C_7630, 0x6573_5546, 0xF15F]
        guard let type = try? store.root.filesystemType() else {
            return feature(false, "the store's filesystem does not say what it is")
        }
        if stacked.contains(type) { return feature(false, "the store's filesystem stands on another one") }
        return feature(true, "Linux \(kernel.text), root, and a store on a filesystem of its own")
    }

    /// Whether a copy can share its blocks with the layer.
    private func reflinks() -> StoreInformation.Feature {
        func feature(_ isAvailable: Bool, _ reason: String) -> StoreInformation.Feature {
            StoreInformation.Feature(name: "reflinks", isAvailable: isAvailable, reason: reason)
        }
        do {
            let staging = try IngestDirectory.make(in: store)
            let source = try staging.descriptor.open("a", O_RDWR | O_CREAT, permissions: 0o600)
            try source.writeAll([UInt8](repeating: 1, count: 4096))
            let copy = try staging.descriptor.open("b", O_RDWR | O_CREAT, permissions: 0o600)
            try copy.clone(from: source)
            return feature(true, "the store's filesystem shares blocks")
        } catch {
            return feature(
                false, "the store's filesystem shares no blocks; large files are copied block by block")
        }
    }
}

/// `uname(2)`'s release.
struct KernelRelease {
    let text: String

    static var current: KernelRelease {
        let release = try? Descriptor.open("/proc/sys/kernel/osrelease", O_RDONLY).readAll(limit: 256)
        return KernelRelease(
            text: String(decoding: release ?? [], as: UTF8.self).trimmingCharacters(
                in: .whitespacesAndNewlines))
    }

    func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        let numbers = text.split { !$0.isNumber }.prefix(2).map { Int($0) ?? 0 }
        guard numbers.count == 2 else { return false }
        return (numbers[0], numbers[1]) >= (major, minor)
    }
}
