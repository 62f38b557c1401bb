// What the layers have under the names of one directory, sorted by name.

import LaminaCore

/// An inode of a layer.
struct Origin: Hashable {
    /// The layer's number, from 0, the lowest.
    var layer: Int
    var nid: UInt32
}

/// An entry of a layer's directory.
struct Candidate {
    var name: ByteRange
    var origin: Origin
    var type: FileType?
}

/// The entries that several layers have for one directory, in the order of names and, of
/// one name, of layers.
struct CandidateList {
    private(set) var all: [Candidate] = []
    /// Where each layer's entries start; each run is sorted.
    private var runs: [Int] = []

    /// Reads all entries of `sources`, lowest layer first, and keeps their names in `table`.
    init(_ sources: [Origin], of layers: [SharedTree], _ table: inout NodeTable) throws(IndexError) {
        for source in sources {
            runs.append(all.count)
            try layers[source.layer].tree.appendCandidates(of: source, to: &all, &table)
        }
    }

    /// Merges the runs pairwise until one is left. Stable: lower layers stay first.
    /// O(n log k) for n entries of k layers.
    mutating func mergeRuns(_ table: borrowing NodeTable) {
        while runs.count > 1 {
            var merged: [Candidate] = []
            merged.reserveCapacity(all.count)
            var starts: [Int] = []
            for pair in stride(from: 0, to: runs.count, by: 2) {
                starts.append(merged.count)
                let middle = pair + 1 < runs.count ? runs[pair + 1] : all.count
                let end = pair + 2 < runs.count ? runs[pair + 2] : all.count
                var left = runs[pair]
                var right = middle
                while left < middle, right < end {
                    if table.precedes(all[right].name, all[left].name) {
                        merged.append(all[right])
                        right += 1
                    } else {
                        merged.append(all[left])
                        left += 1
                    }
                }
                merged += all[left..<middle]
                merged += all[right..<end]
            }
            all = merged
            runs = starts
        }
    }

    /// The end of the entries that have the name of number `start`.
    func endOfGroup(_ start: Int, _ table: borrowing NodeTable) -> Int {
        var end = start + 1
        while end < all.count, !table.precedes(all[start].name, all[end].name) { end += 1 }
        return end
    }
}
