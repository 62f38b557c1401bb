// Putting redirects into a union: their points are found, or made, in the tree as the container sees it.

import LaminaCore
import LaminaSystem

extension Union {
    /// Whether there is a redirect.
    public var hasRedirects: Bool { !redirects.isEmpty }

    /// Whether the kernel's pages of a file that is being opened are still good.
    public func keepsPages(of id: NodeID) -> Bool {
        !id.isRedirected || redirects.isUnchanged(id)
    }

    /// Puts redirects into the tree, those first whose targets are nearer to the root. What is missing on the
    /// way to a target is made, in the sandbox or in the redirect that it lies in.
    ///
    /// - Parameter store: the store's root, which no bind may reach.
    public func attach(_ list: [PlacedRedirect], store: ByteString) throws(RedirectFailure) {
        guard list.count <= Limits.redirectsPerSandbox else {
            throw RedirectFailure(list[0].redirect, "there are more than \(Limits.redirectsPerSandbox)")
        }
        let sorted = list.enumerated().sorted { left, right in
            (left.element.redirect.target.components.count, left.offset)
                < (right.element.redirect.target.components.count, right.offset)
        }
        for (_, placed) in sorted {
            try attach(try HostTree.open(placed, store: store, in: redirects.table))
        }
    }

    /// Puts one tree at its target.
    /// - Returns: where it stands.
    @discardableResult
    func attach(_ tree: HostTree) throws(RedirectFailure) -> NodeName {
        var path = TargetPath(self)
        let place: NodeName
        do throws(Errno) {
            let covered = try path.walk(
                tree.redirect.target, making: tree.isDirectory ? .directory : .regular)
            guard covered.status.type == .directory ? tree.isDirectory : !tree.isDirectory else {
                throw tree.isDirectory ? Errno.notDirectory : .isDirectory
            }
            guard let parent = path.parent, let name = path.name else { throw .resourceBusy }
            place = NodeName(parent: parent, name: name)
            // Lookups that the layers alone could answer have to ask from now on.
            if let nid = covered.id.nid { twins.insert(nid) }
        } catch .readOnlyFileSystem {
            throw RedirectFailure(tree.redirect, "is missing, and cannot be made in what is read-only")
        } catch .isDirectory {
            throw RedirectFailure(tree.redirect, "a file cannot stand in the place of a directory")
        } catch .notDirectory {
            throw RedirectFailure(tree.redirect, "a directory cannot stand in the place of a file")
        } catch {
            throw RedirectFailure(tree.redirect, "\(error)")
        }
        let point = Redirects.Point(parent: place.parent, name: place.name)
        if let former = redirects.tree(at: place.name, in: place.parent) {
            // The image's own yields where symlinks lead two targets to one place.
            if tree.redirect.isAnonymous { return place }
            guard former.redirect.isAnonymous else {
                throw RedirectFailure(tree.redirect, "leads to the same place as \(former.redirect.target)")
            }
        }
        redirects.insert(tree, at: point)
        return place
    }
}
