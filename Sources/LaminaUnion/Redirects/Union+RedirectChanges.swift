// Adding and removing redirects while a union is served.

import Glibc
import LaminaCore
import LaminaSystem

/// Why a redirect stays.
public enum RedirectStays: Error {
    /// None has this target.
    case unknown
    case busy(String)
}

extension Union {
    /// Adds a redirect, filling a new volume first.
    /// - Returns: the names that the kernel must look up again.
    public func add(
        _ placed: PlacedRedirect, store: ByteString, images: @escaping ImageOpener,
        progress: @escaping () -> Void
    ) throws(RedirectFailure) -> [NodeName] {
        let known = redirects.all.values.map(\.redirect.target)
        let target = placed.redirect.target
        guard known.count < Limits.redirectsPerSandbox else {
            throw RedirectFailure(
                placed.redirect, "a sandbox may have \(Limits.redirectsPerSandbox), and has them already")
        }
        guard !known.contains(target) else { throw RedirectFailure(placed.redirect, "there is one already") }
        let above = known.count { target.hasPrefix($0 + "/") }
        guard above < Limits.redirectDepth else {
            throw RedirectFailure(
                placed.redirect, "is beneath more than \(Limits.redirectDepth - 1) other redirects")
        }
        try fill([placed], progress: progress)
        return try attach(open(placed, store: store, images: images))
    }

    /// Takes the redirect with this target away. Files of it that are open stay so.
    ///
    /// - Parameters:
    ///   - lazy: whether it goes although it is in use.
    ///   - forget: has the kernel let go of what it remembers of a name, so far as nobody uses it.
    /// - Returns: the name that the kernel must look up again.
    public func remove(
        redirectAt target: ByteString, lazy: Bool, forget: (NodeName) -> Void
    ) throws(RedirectStays) -> NodeName {
        guard let (point, tree) = redirects.all.first(where: { $0.value.redirect.target == target }) else {
            throw .unknown
        }
        let inner = redirects.all.first { other, _ in tree.holds(other.parent, redirects) }
        if let inner { throw .busy("the redirect at \(inner.value.redirect.target) lies in it") }
        let name = NodeName(parent: point.parent, name: point.name)
        if !lazy, case .host(let tree) = tree {
            if !Self.wait(until: { tree.openFiles == 0 }) { throw .busy("files of it are open") }
            // The kernel forgets what nobody uses; what is left, somebody does.
            forget(name)
            if !Self.wait(until: { redirects.table.count(of: tree) == 0 }) {
                throw .busy("files or directories of it are in use")
            }
        }
        redirects.remove(point)
        // The directory that was kept for this point.
        if point.parent.isRedirected { redirects.table.forget(point.parent, count: 1) }
        return name
    }

    /// Closing and forgetting are told a moment after they happened.
    private static func wait(until condition: () -> Bool) -> Bool {
        for _ in 0..<100 {
            if condition() { return true }
            usleep(10_000)
        }
        return condition()
    }
}

extension RedirectedTree {
    /// Whether a node lies in this tree.
    fileprivate func holds(_ id: NodeID, _ redirects: Redirects) -> Bool {
        switch self {
        case .host(let tree): id.isRedirected && (try? redirects.table.node(id).tree === tree) == true
        case .image(let image): id.imageNode?.image == image.number
        }
    }
}
