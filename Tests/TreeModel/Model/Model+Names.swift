// Making, removing and renaming in the model, with the errors of fs/namei.c in its order.

import Glibc
import LaminaCore
import LaminaSystem

extension Model {
    /// `open(2)`; all opens of a script have `O_NONBLOCK`.
    func open(_ path: ByteString, _ flags: Int32, _ permissions: UInt32) throws(Errno) -> ModelNode {
        let isNew = flags & O_CREAT != 0
        let isExclusive = isNew && flags & O_EXCL != 0
        let place = try resolve(path, follow: !isExclusive)
        guard let node = place.node else {
            guard isNew else { throw .noSuchFileOrDirectory }
            return try add(.regular, permissions, at: place)
        }
        if isExclusive { throw .fileExists }
        let writes = flags & O_ACCMODE != O_RDONLY
        switch node.type {
        case .directory:
            if isNew || writes { throw .isDirectory }
        case .socket, .blockDevice:
            throw .noSuchAddressOrDevice
        case .fifo:
            let hasReader = held.values.contains { $0.node === node && $0.canRead }
            if flags & O_ACCMODE == O_WRONLY, !hasReader { throw .noSuchAddressOrDevice }
        case .regular:
            if flags & O_TRUNC != 0 { resize(node, to: 0) }
        case .characterDevice, .symlink:
            break
        }
        return node
    }

    /// Makes a node that must not be there.
    @discardableResult
    func make(
        _ path: ByteString, _ type: FileType, _ permissions: UInt32, device: DeviceNumber = .zero
    ) throws(Errno) -> ModelNode {
        let place = try resolve(path, follow: false)
        guard place.node == nil else { throw .fileExists }
        return try add(type, permissions, at: place, device: device)
    }

    private func add(
        _ type: FileType, _ permissions: UInt32, at place: ModelPlace, device: DeviceNumber = .zero
    ) throws(Errno) -> ModelNode {
        // A setgid directory hands down its group, and to directories its bit.
        let inherits = place.parent.permissions & 0o2000 != 0
        let node = ModelNode(
            id: nextID(), type: type,
            permissions: permissions | (inherits && type == .directory ? 0o2000 : 0), uid: 0,
            gid: inherits ? place.parent.gid : 0, device: device, redirect: place.parent.redirect)
        put(node, at: place)
        return node
    }

    func put(_ node: ModelNode, at place: ModelPlace) {
        place.parent.entries[place.name] = node
        place.parent.time = .recent
        if node.isDirectory { node.parent = place.parent }
    }

    private func take(_ place: ModelPlace) {
        place.node?.links -= 1
        place.node?.parent = nil
        place.parent.entries[place.name] = nil
        place.parent.time = .recent
    }

    func link(_ old: ByteString, _ new: ByteString) throws(Errno) {
        let node = try find(old, follow: false)
        let place = try resolve(new, follow: false)
        guard place.node == nil else { throw .fileExists }
        guard !node.isDirectory else { throw .notPermitted }
        guard node.redirect == place.parent.redirect else { throw .improperLink }
        node.links += 1
        put(node, at: place)
    }

    func removeFile(_ path: ByteString) throws(Errno) {
        let place = try resolve(path, follow: false)
        guard let node = place.node else { throw .noSuchFileOrDirectory }
        guard !node.isDirectory else { throw .isDirectory }
        guard !node.isPoint else { throw .resourceBusy }
        take(place)
    }

    func removeDirectory(_ path: ByteString) throws(Errno) {
        let place = try resolve(path, follow: false)
        guard let node = place.node else { throw .noSuchFileOrDirectory }
        guard node.isDirectory else { throw .notDirectory }
        guard !node.isPoint else { throw .resourceBusy }
        guard node.entries.isEmpty else { throw .directoryNotEmpty }
        take(place)
    }

    func rename(_ old: ByteString, _ new: ByteString, _ flags: UInt32) throws(Errno) {
        let source = try resolve(old, follow: false)
        let target = try resolve(new, follow: false)
        let exchanges = flags & RenameFlag.exchange != 0
        guard let node = source.node else { throw .noSuchFileOrDirectory }
        if flags & RenameFlag.noReplace != 0, target.node != nil { throw .fileExists }
        if exchanges, target.node == nil { throw .noSuchFileOrDirectory }
        if node.holds(target.parent) { throw .invalidArgument }
        if let other = target.node {
            if other.holds(source.parent) { throw exchanges ? .invalidArgument : .directoryNotEmpty }
            if other === node { return }
            if exchanges {
                try refuseEdges(source, target)
                return exchange(source, target)
            }
            if node.isDirectory, !other.isDirectory { throw .notDirectory }
            if !node.isDirectory, other.isDirectory { throw .isDirectory }
            try refuseEdges(source, target)
            guard other.entries.isEmpty else { throw .directoryNotEmpty }
            take(target)
        }
        try refuseEdges(source, target)
        source.parent.entries[source.name] = nil
        source.parent.time = .recent
        put(node, at: target)
    }

    /// Nothing is renamed over the edge of a redirect, nor a redirect itself.
    private func refuseEdges(_ source: ModelPlace, _ target: ModelPlace) throws(Errno) {
        guard source.parent.redirect == target.parent.redirect else { throw .improperLink }
        if source.node?.isPoint == true || target.node?.isPoint == true { throw .resourceBusy }
    }

    private func exchange(_ source: ModelPlace, _ target: ModelPlace) {
        guard let one = source.node, let other = target.node else { return }
        put(other, at: source)
        put(one, at: target)
    }
}
