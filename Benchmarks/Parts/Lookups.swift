// Finding names: in an index, and in a union with an empty sandbox, beside a binary search over an array; merging
// layers, beside a sort of the same names.

import Benchmark
import Control
import Glibc
import LaminaCore
import LaminaIndex
import LaminaUnion

private let count = 65_536
private let width = 12

func lookups() throws {
    let scratch = try Scratch("lookups")
    let names = sortedNames(count)
    let order = (0..<count).map { ($0 &* 40_503) % count }
    let layer = try scratch.layer("layer", of: names)
    let union = try scratch.union(of: [layer])
    let search = searched(names, order)
    try index(layer, names, order, search)
    try inUnion(union, scratch, names, order, search)
    try merging(scratch)
}

/// The control of every lookup: all names in the same order.
private func searched(_ names: [ByteString], _ order: [Int]) -> () throws -> Void {
    let flat = names.flatMap(\.bytes)
    return {
        var found = 0
        // SAFETY: names of `width` bytes lie one behind the other; the arrays live through the calls.
        unsafe flat.withUnsafeBytes { bytes in
            guard let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            for place in order {
                if unsafe control_search(base, count, width, base + place * width) == place { found += 1 }
            }
        }
        try demand(found == count, "\(found) found")
    }
}

private func index(
    _ layer: SharedTree, _ names: [ByteString], _ order: [Int], _ control: @escaping () throws -> Void
) throws {
    guard let directory = try ByteString("d").withSpan({ span in try layer.tree.lookup(span, in: Tree.root) })
    else { throw PartError(description: "no directory") }
    compared("index: \(count) lookups in one directory") {
        var found = 0
        for place in order {
            if try names[place].withSpan({ span in try layer.tree.lookup(span, in: directory) }) != nil {
                found += 1
            }
        }
        try demand(found == count, "\(found) found")
    } control: {
        try control()
    }
}

private func inUnion(
    _ union: Union, _ scratch: Scratch, _ names: [ByteString], _ order: [Int],
    _ control: @escaping () throws -> Void
) throws {
    guard let directory = try ByteString("d").withSpan({ span in try union.lookup(span, in: .root) })?.id
    else {
        throw PartError(description: "no directory")
    }
    compared("union: \(count) lookups in one directory") {
        var found = 0
        for place in order {
            if try names[place].withSpan({ span in try union.lookup(span, in: directory) }) != nil {
                found += 1
            }
        }
        try demand(found == count, "\(found) found")
        withExtendedLifetime(scratch) {}
    } control: {
        try control()
    }
}

private func merging(_ scratch: Scratch) throws {
    let names = sortedNames(count)
    var layers: [SharedTree] = []
    var dealt: [[ByteString]] = []
    for number in 0..<8 {
        dealt.append(stride(from: number, to: count, by: 8).map { names[$0] })
        layers.append(try scratch.layer(ByteString("merge\(number)"), of: dealt[number]))
    }
    let file = try scratch.directory().open("merged", O_RDWR | O_CREAT, permissions: 0o600)
    compared("merge of 8 layers with \(count) names") {
        try file.truncate(to: 0)
        try demand(try ChainMerge.write(layers, to: file) > 0, "nothing was written")
    } control: {
        let sorted = dealt.joined().sorted()
        try demand(sorted.count == count, "names got lost")
    }
}
