// What `lamina prune --explain` and `--prove` print.

import LaminaEngine

enum OwnerReport {
    /// Why a file of the store, or content by its digest, is there.
    static func explain(_ text: String, _ engine: Engine) throws {
        for owner in try engine.explain(text) { print("\(owner.kind.rawValue): \(owner.reason)") }
    }

    /// Every file with its owner, and sums that are those of `du`.
    static func prove(_ engine: Engine) throws {
        var sums: [StoreOwner.Kind: (files: Int, size: Int64)] = [:]
        try engine.owners { file in
            let sum = sums[file.owner.kind] ?? (0, 0)
            sums[file.owner.kind] = (sum.files + 1, sum.size &+ file.diskSize)
            let names = file.owner.names.isEmpty ? "" : " " + file.owner.names.joined(separator: ",")
            let path = file.path.isEmpty ? "." : file.path.description
            print(
                "\(file.diskSize)\t\(file.owner.kind.rawValue)\(Terminal.clean(names))\t\(Terminal.clean(path))"
            )
        }
        print()
        for kind in StoreOwner.Kind.allCases {
            guard let sum = sums[kind] else { continue }
            print("\(sum.size)\t\(kind.rawValue)\t\(sum.files) files")
        }
        let all = sums.values.reduce((files: 0, size: Int64(0))) { ($0.files + $1.files, $0.size &+ $1.size) }
        print("\(all.size)\ttotal\t\(all.files) files")
    }
}
