// OpenFiles owns the open files of the tree: by handle where the kernel asks for opens, by node where it does not. All
// open files of a node go one way at a time, as the kernel wants it, which its first open decides.

import LaminaCore
import LaminaSystem

/// A file of the tree.
final class OpenFile {
    let file: Descriptor
    let node: UInt32
    let isWritable: Bool

    init(_ file: consuming Descriptor, _ node: UInt32, isWritable: Bool) {
        self.file = file
        self.node = node
        self.isWritable = isWritable
    }
}

struct OpenFiles: ~Copyable {
    /// How the kernel has a node open.
    private struct Way {
        /// The kernel's number of the file that it reads and writes itself; 0 when it asks.
        var backing: Int32
        var opens = 1
        var first: OpenFile
    }

    private var handles: [OpenFile?] = []
    private var free: [Int] = []
    private var ways: [UInt32: Way] = [:]
    /// Where opens are not asked for: files by the last bits of their node's number.
    private var kept = [OpenFile?](repeating: nil, count: 512)
    /// Such files without a name, until the kernel forgets them.
    private var nameless: [UInt32: OpenFile] = [:]

    /// Takes a file in; a handle, which is never 0, and the number of the file that the kernel reads itself or 0.
    /// - Parameter device: the connection, where the kernel shall read a node that is not open yet.
    mutating func open(_ file: OpenFile, givenTo device: Int32?) -> (handle: UInt64, backing: Int32) {
        var way = ways[file.node]
        if way == nil {
            let backing = device.flatMap { try? FuseBacking.open(file.file, on: $0) }
            way = Way(backing: backing ?? 0, opens: 0, first: file)
        }
        way?.opens += 1
        ways[file.node] = way
        let index = free.popLast() ?? handles.count
        if index == handles.count { handles.append(nil) }
        handles[index] = file
        return (UInt64(index) + 1, way?.backing ?? 0)
    }

    subscript(_ handle: UInt64) -> OpenFile? {
        handle > 0 && handle <= UInt64(handles.count) ? handles[Int(handle - 1)] : nil
    }

    mutating func close(_ handle: UInt64, on device: Int32) {
        guard let file = self[handle] else { return }
        handles[Int(handle - 1)] = nil
        free.append(Int(handle - 1))
        guard var way = ways[file.node] else { return }
        way.opens -= 1
        ways[file.node] = way.opens > 0 ? way : nil
        if way.opens == 0, way.backing > 0 { FuseBacking.close(way.backing, on: device) }
    }

    /// An open file of a node.
    func any(_ node: UInt32) -> OpenFile? {
        ways[node]?.first ?? held(node)
    }

    /// What is kept of a node that nobody was asked to open.
    func held(_ node: UInt32) -> OpenFile? {
        if let file = kept[Int(node) % kept.count], file.node == node { return file }
        return nameless.isEmpty ? nil : nameless[node]
    }

    mutating func hold(_ file: OpenFile) {
        kept[Int(file.node) % kept.count] = file
    }

    /// A node has lost its last name, but somebody may have it open.
    mutating func loseName(_ node: UInt32) {
        guard let file = kept[Int(node) % kept.count], file.node == node else { return }
        nameless[node] = file
        kept[Int(node) % kept.count] = nil
    }

    mutating func forget(_ node: UInt32) {
        if !nameless.isEmpty { nameless[node] = nil }
    }
}
