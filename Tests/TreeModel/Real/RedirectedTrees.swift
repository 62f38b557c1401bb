// RedirectedTrees owns the host's side of a test's redirects: a volume, a bind, one within the volume, and one of a
// single file, none of whose names a script makes.

import Glibc
import LaminaCore
import LaminaSystem
import LaminaTestSupport

/// Redirects in a tree that a script works on.
public final class RedirectedTrees {
    private let host: TemporaryDirectory

    private static let places:
        [(target: ByteString, source: ByteString, kind: Redirect.Kind, type: FileType)] = [
            ("volume", "volumes/v/_data", .volume, .directory), ("bind", "bind", .bind, .directory),
            ("volume/inner", "inner", .bind, .directory), ("single", "file", .bind, .regular),
        ]

    /// Where redirects are tried: `--data cached` refuses them.
    public static let options: [ByteString] =
        MountedSandbox.commonOptions.contains("cached") ? ["--no-passthrough"] : MountedSandbox.commonOptions

    public init(inMemory: Bool) throws {
        host = try TemporaryDirectory(inMemory: inMemory)
        for directory: ByteString in ["volumes/v/_data", "bind", "inner"] {
            try host.descriptor.makeDirectories(directory)
        }
        _ = try host.descriptor.open("file", O_WRONLY | O_CREAT, permissions: 0o644)
    }

    /// For the sandbox's next mount.
    public var redirects: [PlacedRedirect] {
        Self.places.map { place in
            var redirect = Redirect(
                place.kind, source: place.kind == .volume ? "v" : host.path.appending(place.source),
                target: ByteString("/") + place.target)
            redirect.noCopy = place.kind == .volume
            return PlacedRedirect(redirect, place: host.path.appending(place.source))
        }
    }

    /// Puts the redirects into the model and gives their roots, in model and tree, the same attributes.
    public func add(to model: Model, _ tree: RealTree) throws {
        for (number, place) in Self.places.enumerated() {
            model.redirect(place.target, number: number + 1, type: place.type)
        }
        for place in Self.places.reversed() {
            for step in [
                Operation.setPermissions(place.target, 0o755), .setOwner(place.target, uid: 0, gid: 0),
                .setTime(place.target, Timestamp(seconds: 1_000_000_000)),
            ] {
                let (real, expected) = (tree.run(step), model.run(step))
                guard real == expected else { throw MountError("\(step): \(real), expected \(expected)") }
            }
        }
    }

    /// What differs between what the host has and the model, at most ten lines a redirect. Their roots' names are
    /// not compared.
    public func differences(from model: Model) throws -> [String] {
        try Self.places.filter { $0.type == .directory }.flatMap { place -> [String] in
            guard let expected = model.tree(at: place.target) else { return ["\(place.target): is missing"] }
            let tree = try RealTree(host.path.appending(place.source))
            return TreeComparison(.host).differences(of: tree, from: expected)
                .map { "\(place.source) on the host: \($0)" }
        }
    }
}
