// OverlayMount owns a mount of kernel overlayfs over the unpacked layers of a test.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport

/// Kernel overlayfs, as the peer that a union is held against.
public final class OverlayMount {
    public let directory: TemporaryDirectory
    private let lowers: Int
    private let options: String

    /// Unpacks `layers`, lowest first, and mounts them.
    /// - Parameter options: of the mount, after the directories.
    public init(
        _ layers: [GeneratedLayer], options: String = OverlayMount.full, inMemory: Bool = true
    ) throws {
        directory = try TemporaryDirectory(inMemory: inMemory)
        lowers = layers.count
        self.options = options
        for name in ["upper", "work", "mount"] {
            try directory.descriptor.makeDirectory(ByteString(name), permissions: 0o755)
        }
        for (number, layer) in layers.enumerated() {
            let name = ByteString("l\(number)")
            try directory.descriptor.makeDirectory(name, permissions: 0o755)
            try layer.unpack(into: directory.path.appending(name))
        }
        let root = try directory.descriptor.status(of: ByteString("l\(layers.count - 1)"))
        let upper = try directory.descriptor.openPath("upper")
        // Above the layers counts the upper directory's own root.
        try upper.setPathOwner(uid: root.uid, gid: root.gid)
        try upper.setPathPermissions(root.mode & 0o7777)
        try upper.setPathTimes(atime: .set(root.mtime), mtime: .set(root.mtime))
    }

    deinit {
        try? MountTable.unmount(mountpoint, lazy: true)
    }

    /// Everything that makes overlayfs like an ordinary filesystem.
    public static let full = "metacopy=on,redirect_dir=on,index=on,xino=auto"
    /// What a sandbox that is handed over needs.
    public static let plain = "metacopy=on,redirect_dir=on"

    public var mountpoint: ByteString { directory.path.appending("mount") }
    public var upper: ByteString { directory.path.appending("upper") }

    /// Mounts, with another upper directory where one is given.
    public func mount(upper: ByteString? = nil, work: ByteString? = nil) throws {
        let layers = (0..<lowers).reversed().map { "\(directory.path)/l\($0)" }.joined(separator: ":")
        let upper = upper ?? self.upper
        let work = work ?? directory.path.appending("work")
        let words = "lowerdir=\(layers),upperdir=\(upper),workdir=\(work),\(options)"
        let mount = Spawn(
            "/bin/mount", ["-t", "overlay", "lamina-test", "-o", ByteString(words), mountpoint])
        let code = try mount.run()
        guard code == 0 else { throw MountError("mount -t overlay -o \(words): exit \(code)") }
    }

    public func unmount() throws {
        try MountTable.unmountWhenIdle(mountpoint)
    }

    /// Whether the kernel mounts overlayfs here; if not, says so, and in CI it is a failure.
    public static let isPossible: Bool = {
        guard MountedSandbox.isPossible else { return false }
        var random = SeededRandom(seed: 0)
        if let mount = try? OverlayMount([GeneratedLayer(&random, isLowest: true)]),
            (try? mount.mount()) != nil
        {
            return true
        }
        print("SKIPPED, NOT TESTED: this kernel mounts no overlayfs with \(full)")
        if CommandRun.environment("LAMINA_CI") != nil {
            preconditionFailure("CI must run the overlayfs tests")
        }
        return false
    }()
}
