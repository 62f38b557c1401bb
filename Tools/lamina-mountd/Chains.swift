// Chains opens chain images of the store, with the files that hold their bytes.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaSystem
import LaminaUnion

struct Chains: Sendable {
    let root: SharedDescriptor
    /// The store's path, for messages.
    let path: ByteString
    /// Whether objects are opened so that nobody can write them, as the kernel must get them.
    let objectsAreGuarded: Bool
    /// Whether every byte is compared with a checksum or a digest before it is served: the tree and the streams here,
    /// objects when they are opened.
    let verifies: Bool

    /// The tree of a chain.
    func open(_ chain: Digest) throws(RunError) -> LowerTree {
        let root = self.root
        let name = ByteString("chains/\(chain.hex).erofs")
        let tree: Tree
        do {
            let file = try root.descriptor.open(name, O_RDONLY)
            try verify(file, name)
            tree = try Tree(try MappedFile(file))
        } catch let error as RunError {
            throw error
        } catch {
            throw RunError(description: "\(path.appending(name)): \(error)")
        }
        var streams: [SharedDescriptor] = []
        for device in tree.devices {
            let path = ByteString("layers/\(device.diffID.hex)/stream")
            let stream = try opening(path) { (path) throws(Errno) in try root.descriptor.open(path, O_RDONLY)
            }
            try verify(stream, path)
            streams.append(SharedDescriptor(stream))
        }
        do throws(Errno) {
            let verification =
                verifies
                ? try ObjectVerification(nodes: tree.nidLimit) { report("lamina-mountd: \($0)\n") } : nil
            // Whatever goes wrong here or in the kernel, nobody can write through this into an object.
            if objectsAreGuarded, let objects = try? root.descriptor.readOnlyMount(of: "objects") {
                return try LowerTree(
                    tree: tree, streams: streams, objects: SharedDescriptor(objects),
                    objectsAreReadOnly: true,
                    verification: verification)
            }
            let objects = SharedDescriptor(try root.descriptor.open("objects", OpenFlag.path | O_DIRECTORY))
            return try LowerTree(tree: tree, streams: streams, objects: objects, verification: verification)
        } catch {
            throw RunError(description: "\(path)/objects: \(error)")
        }
    }

    /// Compares a file whose name says nothing about its bytes with its seal, if that is wanted. O(bytes).
    private func verify(_ file: borrowing Descriptor, _ name: ByteString) throws(RunError) {
        guard verifies else { return }
        let state: FileSeal.State
        do throws(Errno) {
            state = try FileSeal.state(of: file)
        } catch {
            throw RunError(description: "\(path.appending(name)): \(error)")
        }
        let reason: String
        switch state {
        case .whole: return
        case .damaged: reason = "is damaged; lamina fsck --deep --repair mends it where it can"
        case .missing: reason = "has no checksum to verify it with; lamina fsck --deep --repair gives it one"
        }
        throw RunError(description: "\(path.appending(name)): \(reason)")
    }

    /// The tree of an image that a redirect shows. What is wrong with it is said on standard error.
    func openImage(_ chain: Digest) throws(Errno) -> LowerTree {
        do throws(RunError) {
            return try open(chain)
        } catch {
            report("lamina-mountd: \(error)\n")
            throw .ioError
        }
    }
}

private func report(_ text: String) {
    let bytes = Array(text.utf8)
    // SAFETY: the array is alive during the call.
    _ = unsafe write(2, bytes, bytes.count)
}
