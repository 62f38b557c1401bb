// SandboxNames owns what is known, without asking the disk, of the names that the sandbox has: a bit for each hash of
// a directory and a name. Most lookups in a directory that both halves know are for names that only the layers have.
//
// Invariant: a name is added before it is on disk, and a directory counts as known only when all its names were added.
// Bits are never taken back, so a reader needs a few loads and no lock; what it hears is "no" or "perhaps".

import LaminaCore
import LaminaSystem

final class SandboxNames: Sendable {
    /// 2²² bits: with 100 000 names in the sandbox, one of forty that it does not have is asked for on disk.
    private static let bits: UInt64 = 1 << 22
    /// Directories born in the sandbox beyond this many are not known.
    private static let mostBorn: UInt64 = 1 << 20
    /// Entries of a directory that are worth reading at once.
    private static let mostRead = 4_096

    private let names: AtomicBits
    private let knownLower: AtomicBits
    private let knownBorn: AtomicBits

    /// For lower nodes below `nodes`.
    /// - Throws: `ENOMEM`.
    init(nodes: UInt64) throws(Errno) {
        names = try AtomicBits(count: Self.bits)
        knownLower = try AtomicBits(count: nodes)
        knownBorn = try AtomicBits(count: Self.mostBorn)
    }

    /// Whether the sandbox has surely nothing called `name` in `directory`, a whiteout neither. O(bytes of the name).
    @inline(__always)
    func exclude(_ name: Span<UInt8>, in directory: NodeID) -> Bool {
        isKnown(directory) && !names.contains(Self.hash(name, directory))
    }

    @inline(__always)
    private func isKnown(_ directory: NodeID) -> Bool {
        guard let nid = directory.nid else {
            return knownBorn.contains(directory.rawValue & ~NodeID.upperBit)
        }
        return knownLower.contains(nid)
    }

    /// `name` is about to be made in `directory`.
    func add(_ name: ByteString, in directory: NodeID) {
        names.insert(name.withSpan { Self.hash($0, directory) })
    }

    /// All names that `directory` has on disk were added: none for a new one.
    func know(_ directory: NodeID) {
        guard let nid = directory.nid else { return knownBorn.insert(directory.rawValue & ~NodeID.upperBit) }
        knownLower.insert(nid)
    }

    /// The directory left the tree: what its names mean is for the namespace to say.
    func forget(_ directory: NodeID) {
        guard let nid = directory.nid else { return knownBorn.remove(directory.rawValue & ~NodeID.upperBit) }
        knownLower.remove(nid)
    }

    /// Adds what a directory of an earlier mount has on disk, unless that is very much.
    func read(_ directory: NodeID, from handle: borrowing Descriptor) throws(Errno) {
        let entries = try handle.openDirectory(".").entries()
        guard entries.count <= Self.mostRead else { return }
        for entry in entries { add(entry.name, in: directory) }
        know(directory)
    }

    /// FNV-1a over the name, from a start of the directory's own; every bit of it counts in the end.
    @inline(__always)
    private static func hash(_ name: Span<UInt8>, _ directory: NodeID) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ mixed(directory.rawValue)
        for index in name.indices { hash = (hash ^ UInt64(name[index])) &* 0x100_0000_01B3 }
        return mixed(hash) % bits
    }

    /// Half of MurmurHash3's last step.
    @inline(__always)
    private static func mixed(_ number: UInt64) -> UInt64 {
        let product = (number ^ number >> 33) &* 0xFF51_AFD7_ED55_8CCD
        return product ^ product >> 33
    }
}
