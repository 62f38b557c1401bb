// RedirectedMount owns a mount with redirects and the host directories that they lead to.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport

/// A mount for one test, and a directory of the host beside it.
final class RedirectedMount: Sendable {
    let host: TemporaryDirectory
    let mount: MountedSandbox

    /// The ways in which mounts are tested, but the one that refuses redirects.
    static let options: [ByteString] =
        MountedSandbox.commonOptions.contains("cached") ? ["--no-passthrough"] : MountedSandbox.commonOptions

    /// - Parameters:
    ///   - prepare: fills the host directory before the mount.
    ///   - redirects: of paths below the host directory.
    init(
        _ layer: [FixtureEntry] = [], readOnly: Bool = false, options: [ByteString] = options,
        prepare: (TemporaryDirectory) throws -> Void = { _ in }, _ redirects: (ByteString) -> [PlacedRedirect]
    ) throws {
        let host = try TemporaryDirectory()
        try prepare(host)
        self.host = host
        mount = try MountedSandbox(
            layers: [layer], readOnly: readOnly, options: options, redirects: redirects(host.path))
    }

    static func bind(
        _ source: ByteString, at target: ByteString, readOnly: Bool = false,
        consistency: Redirect.Consistency = .cached, special: Bool = false
    ) -> PlacedRedirect {
        var redirect = Redirect(.bind, source: source, target: target)
        redirect.readOnly = readOnly
        redirect.consistency = consistency
        redirect.allowsSpecial = special
        return PlacedRedirect(redirect, place: source)
    }

    /// The error of a call that has to fail.
    static func failure(_ body: () throws -> Void) -> Errno? {
        do {
            try body()
            return nil
        } catch {
            return error as? Errno
        }
    }
}

extension TemporaryDirectory {
    func write(_ name: ByteString, _ text: String, permissions: UInt32 = 0o644) throws {
        try descriptor.open(name, O_WRONLY | O_CREAT | O_TRUNC, permissions: permissions)
            .writeAll(Array(text.utf8))
    }

    func read(_ name: ByteString) throws -> String {
        String(decoding: try descriptor.open(name, O_RDONLY).readAll(limit: 64 << 20), as: UTF8.self)
    }

    func exists(_ name: ByteString) -> Bool { (try? descriptor.status(of: name)) != nil }

    func list(_ name: ByteString) throws -> [ByteString] {
        try descriptor.openDirectory(name).entries().map(\.name).sorted()
    }
}
