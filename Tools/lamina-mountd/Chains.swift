// Chains opens chain images of the store, with the files that hold their bytes.

import Glibc
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

    /// The tree of a chain.
    func open(_ chain: Digest) throws(RunError) -> LowerTree {
        let root = self.root
        let name = ByteString("chains/\(chain.hex).erofs")
        let tree: Tree
        do {
            tree = try Tree(try MappedFile(try root.descriptor.open(name, O_RDONLY)))
        } catch {
            throw RunError(description: "\(path.appending(name)): \(error)")
        }
        var streams: [SharedDescriptor] = []
        for device in tree.devices {
            let path = ByteString("layers/\(device.diffID.hex)/stream")
            let stream = try opening(path) { (path) throws(Errno) in try root.descriptor.open(path, O_RDONLY)
            }
            streams.append(SharedDescriptor(stream))
        }
        do throws(Errno) {
            // Whatever goes wrong here or in the kernel, nobody can write through this into an object.
            if objectsAreGuarded, let objects = try? root.descriptor.readOnlyMount(of: "objects") {
                return try LowerTree(
                    tree: tree, streams: streams, objects: SharedDescriptor(objects), objectsAreReadOnly: true
                )
            }
            let objects = SharedDescriptor(try root.descriptor.open("objects", OpenFlag.path | O_DIRECTORY))
            return try LowerTree(tree: tree, streams: streams, objects: objects)
        } catch {
            throw RunError(description: "\(path)/objects: \(error)")
        }
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
