// Putting redirects into a union: their points are found, or made, in the tree as the container sees it.

import LaminaCore
import LaminaSystem

/// Opens the tree of a chain.
public typealias ImageOpener = (Digest) throws(Errno) -> LowerTree

extension Union {
    /// Whether there is a redirect.
    public var hasRedirects: Bool { !redirects.isEmpty }

    /// For how long the kernel may remember that a name beneath a redirect is missing, of which it is about to be
    /// told; nil for other directories.
    public func absence(of name: Span<UInt8>, in directory: NodeID) -> NodeLifetime? {
        directory.isRedirected ? redirects.absence(of: ByteString(name), in: directory) : nil
    }

    /// Has somebody tell the kernel which names and nodes beneath redirects it must ask for again: what others
    /// changed beneath a bind, and all of a volume that one redirect alone led to and is others' too from now on. From
    /// threads of their own; `nil` ends that, and waits for a call under way.
    public func whenOthersChange(_ tell: (@Sendable ([NodeName], [NodeID]) -> Void)?) {
        let table = redirects.table
        guard let tell else {
            table.watches.end()
            return redirects.claims.whenShared(nil)
        }
        table.watches.begin(table, tell)
        redirects.claims.whenShared { claim, names in tell(names, table.nodes(of: claim)) }
    }

    /// Whether the kernel's pages of a file that is being opened are still good.
    public func keepsPages(of id: NodeID) -> Bool {
        !id.isRedirected || redirects.isUnchanged(id)
    }

    /// Puts redirects into the tree, those first whose targets are nearer to the root. What is missing on the
    /// way to a target is made, in the sandbox or in the redirect that it lies in.
    ///
    /// - Parameter store: the store's root, which no bind may reach.
    public func attach(
        _ list: [PlacedRedirect], store: ByteString,
        images: ImageOpener? = nil
    ) throws(RedirectFailure) {
        guard list.count <= Limits.redirectsPerSandbox else {
            throw RedirectFailure(list[0].redirect, "there are more than \(Limits.redirectsPerSandbox)")
        }
        let sorted = list.enumerated().sorted { left, right in
            (left.element.redirect.target.components.count, left.offset)
                < (right.element.redirect.target.components.count, right.offset)
        }
        for (_, placed) in sorted {
            try attach(try open(placed, store: store, images: images))
        }
    }

    /// Opens what a redirect leads to.
    func open(
        _ placed: PlacedRedirect, store: ByteString, images: ImageOpener?
    ) throws(RedirectFailure) -> RedirectedTree {
        guard placed.redirect.kind == .image else {
            return .host(try HostTree.open(placed, store: store, in: redirects.table, redirects.claims))
        }
        let lower: LowerTree
        do throws(Errno) {
            guard let images, let chain = Digest(hex: placed.place.description) else {
                throw .invalidArgument
            }
            lower = try images(chain)
        } catch {
            throw RedirectFailure(placed.redirect, "its image cannot be opened: \(error)")
        }
        return .image(try redirects.add(placed.redirect, lower))
    }

    /// Puts one tree at its target.
    /// - Returns: the names that mean something else from now on, its own last.
    @discardableResult
    func attach(_ tree: RedirectedTree) throws(RedirectFailure) -> [NodeName] {
        var path = TargetPath(self)
        defer { path.keepParent() }
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
            if tree.redirect.isAnonymous { return path.made }
            guard former.redirect.isAnonymous else {
                throw RedirectFailure(tree.redirect, "leads to the same place as \(former.redirect.target)")
            }
        }
        redirects.insert(tree, at: point)
        return path.made + [place]
    }
}
