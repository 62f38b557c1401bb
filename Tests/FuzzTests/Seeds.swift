// Seeds are well-formed inputs of every reader, for mutations to start from.

import Glibc
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaSystem
import LaminaTestSupport

enum Seeds {
    /// Every kind of entry, and every form of sparse file.
    static let tars: [[UInt8]] = {
        var kinds = TarBuilder()
        kinds.addPax([("comment", [1]), ("SCHILY.xattr.user.g", [1])], type: "g")
        kinds.addPax([
            ("path", Array("a/b".utf8)), ("mtime", Array("-1.5".utf8)), ("uid", Array("70000".utf8)),
            ("SCHILY.xattr.user.a", [0, 255]), ("LIBARCHIVE.xattr.user.%41", Array("AAEC".utf8)),
        ])
        kinds.add("f", [1, 2, 3])
        kinds.add("l", type: "L", Array("long/name".utf8) + [0])
        kinds.add("d", type: "5")
        kinds.add("s", type: "2", link: "a/b")
        kinds.add("h", type: "1", link: "a/b")
        kinds.add("lower", type: "1", link: "not/here")
        kinds.add("c", type: "3") { TarBuilder.put(TarBuilder.octal(1, 7), in: &$0, at: 337) }
        kinds.add("p", type: "6")
        kinds.add("a/.wh.gone")
        kinds.add("e/.wh..wh..opq")
        kinds.end()
        var sparse: [[UInt8]] = SparseForm.allCases.map { form in
            var tar = TarBuilder()
            tar.addSparse("sparse", form, size: 5000, (0..<6).map { ($0 * 700, [UInt8($0)]) })
            tar.add("next", [1])
            return tar.bytes
        }
        sparse.append(kinds.bytes)
        return sparse
    }()

    /// What `target` is to be given.
    static func of(_ target: Target) throws -> [[UInt8]] {
        switch target {
        case .tar: tars
        case .codec:
            Compression.allCases.flatMap { compression in
                let one = compress(tars[4], compression)
                return [one, one + compress([1, 2], compression), Array(one.dropLast(3))]
            }
        case .index: try tars.map(index) + [index(of: wide), index(of: tars[4] + wide)]
        }
    }

    enum Target: String, CaseIterable { case tar, codec, index }

    /// A directory of several blocks.
    private static let wide: [UInt8] = {
        var tar = TarBuilder()
        for number in 0..<60 { tar.add("wide/name-\(number * 7 % 60)", [UInt8(number)]) }
        tar.addPax([("path", Array(("deep/" + String(repeating: "d/", count: 30)).utf8))])
        tar.add("x", type: "5")
        tar.addPax([("linkpath", [UInt8](repeating: 97, count: 700))])
        tar.add("far", type: "2")
        return tar.bytes
    }()

    /// The index of a layer.
    private static func index(of tar: [UInt8]) throws -> [UInt8] {
        var builder = LayerIndexBuilder()
        var parser = TarParser()
        var cursor = 0
        let digest = sha256([1])
        while let event = try parser.next(in: tar.span, at: &cursor) {
            guard case .entry(let entry) = event else { continue }
            var data = FileData.empty
            if let map = entry.sparse {
                data = .object(digest, length: map.size)
            } else if entry.size > 0 {
                data = .stream(offset: parser.offset, length: entry.size)
            }
            try builder.add(entry, data: data)
        }
        let file = try Descriptor.open("/dev/shm", OpenFlag.temporary | O_RDWR, permissions: 0o600)
        try builder.finish(diffID: digest, streamSize: UInt64(tar.count), to: file)
        return try file.readAll(limit: 1 << 20)
    }
}
