// BlockBits owns one bit for each block of a file. Bits are only ever set.

import LaminaSystem

/// A set of block numbers below `count`.
struct BlockBits: Equatable {
    private(set) var words: [UInt64]
    let count: Int
    /// How many blocks are in the set.
    private(set) var setCount = 0

    init(count: Int) {
        self.count = count
        words = Array(repeating: 0, count: BlockMapHeader.wordCount(count))
    }

    /// Takes words from a file; bits behind the last block are dropped.
    init(count: Int, words: [UInt64]) {
        self.init(count: count)
        for index in self.words.indices where index < words.count { self.words[index] = words[index] }
        if count % 64 != 0 { self.words[self.words.count - 1] &= (1 << UInt64(count % 64)) - 1 }
        setCount = self.words.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    func contains(_ block: Int) -> Bool {
        guard block >= 0, block < count else { return false }
        return words[block / 64] & (1 << UInt64(block % 64)) != 0
    }

    /// The first block after `block`, at most `end`, that is in the set when `block` is
    /// not, or the other way round. O(words between).
    func endOfRun(from block: Int, below end: Int) -> Int {
        let end = min(end, count)
        let value = contains(block)
        var index = max(block, 0)
        while index < end {
            let word = value ? ~words[index / 64] : words[index / 64]
            let different = word & (UInt64.max << UInt64(index % 64))
            let base = index - index % 64
            if different != 0 { return min(end, base + different.trailingZeroBitCount) }
            index = base + 64
        }
        return max(end, block)
    }

    /// The words that adding `blocks` changes, with their new values.
    func adding(_ blocks: Range<Int>) -> Change {
        let start = max(blocks.lowerBound, 0)
        let end = min(blocks.upperBound, count)
        guard start < end else { return Change(first: 0, words: []) }
        let range = start / 64..<(end - 1) / 64 + 1
        var new = Array(words[range])
        for index in range {
            let base = index * 64
            var mask = UInt64.max
            if start > base { mask &= UInt64.max << UInt64(start - base) }
            if end - base < 64 { mask &= (1 << UInt64(end - base)) - 1 }
            new[index - range.lowerBound] |= mask
        }
        return change(from: range.lowerBound, to: new)
    }

    /// The words that adding every block of `other` changes.
    func adding(_ other: BlockBits) -> Change {
        change(from: 0, to: zip(words, other.words).map { $0 | $1 })
    }

    /// Leaves out what stays at both ends.
    private func change(from first: Int, to new: [UInt64]) -> Change {
        let different = new.indices.filter { words[first + $0] != new[$0] }
        guard let start = different.first, let end = different.last else {
            return Change(first: 0, words: [])
        }
        return Change(first: first + start, words: Array(new[start...end]))
    }

    mutating func apply(_ change: Change) {
        for (offset, word) in change.words.enumerated() where change.first + offset < words.count {
            setCount += word.nonzeroBitCount - words[change.first + offset].nonzeroBitCount
            words[change.first + offset] = word
        }
    }

    /// New values for some of the words.
    struct Change: Equatable {
        var first: Int
        var words: [UInt64]
    }
}
