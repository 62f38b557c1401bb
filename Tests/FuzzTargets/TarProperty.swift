// What holds of every tar: the same whatever its chunks, and a layer that is taken has an
// index that can be read.

import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaSystem

enum TarProperty {
    static func check(_ bytes: [UInt8]) -> Bool {
        let tar = withChecksums(bytes)
        let whole = entries(of: tar, step: tar.count)
        let cut = entries(of: tar, step: 511)
        require(whole == cut, "a tar says the same in any chunks")
        guard case .success(let entries) = whole else { return false }
        return isRead(entries, streamSize: UInt64(tar.count))
    }

    /// Most changes would end at the checksum: mends it where a magic says that a header is.
    private static func withChecksums(_ bytes: [UInt8]) -> [UInt8] {
        var tar = bytes
        var start = 0
        while start + 512 <= tar.count {
            if tar[start + 257] == 0x75, tar[start + 258] == 0x73, tar[start + 259] == 0x74 {
                var sum = 8 * 32
                for index in start..<start + 512 where !(start + 148..<start + 156).contains(index) {
                    sum += Int(tar[index])
                }
                for place in 0..<6 { tar[start + 153 - place] = 48 + UInt8(sum >> (3 * place) & 7) }
                tar[start + 154] = 0
                tar[start + 155] = 32
            }
            start += 512
        }
        return tar
    }

    private struct Found: Equatable {
        var entry: TarEntry
        var offset: UInt64
        var payload: UInt64
    }

    private static func entries(of tar: [UInt8], step: Int) -> Result<[Found], CodecError> {
        do throws(CodecError) {
            return .success(try parse(tar, step: max(step, 1)))
        } catch {
            return .failure(error)
        }
    }

    private static func parse(_ tar: [UInt8], step: Int) throws(CodecError) -> [Found] {
        var parser = TarParser(limits: TarLimits(entries: 10_000, extendedHeaderSize: 1 << 16))
        var found: [Found] = []
        var start = 0
        while start < tar.count {
            let chunk = tar.span.extracting(start..<min(start + step, tar.count))
            var cursor = 0
            while let event = try parser.next(in: chunk, at: &cursor) {
                switch event {
                case .entry(let entry): found.append(Found(entry: entry, offset: parser.offset, payload: 0))
                case .payload(let range): found[found.count - 1].payload += UInt64(range.count)
                case .endOfEntry:
                    let last = found[found.count - 1]
                    require(last.payload == last.entry.size, "a payload has its size")
                }
            }
            require(cursor == chunk.count, "every byte passes")
            start += chunk.count
        }
        try parser.finish()
        require(parser.offset == UInt64(tar.count), "the offset counts every byte")
        return found
    }

    private static func isRead(_ found: [Found], streamSize: UInt64) -> Bool {
        var builder = LayerIndexBuilder(entryLimit: 100_000)
        do throws(LayerError) {
            for item in found { try builder.add(item.entry, data: data(of: item)) }
        } catch {
            return false
        }
        guard let file = Scratch.file() else { return false }
        do throws(IndexError) {
            try builder.finish(diffID: digest, streamSize: streamSize, to: file)
        } catch {
            return false
        }
        require(TreeWalk.run(file) == 0, "an index that was written can be read")
        return true
    }

    private static func data(of item: Found) -> FileData {
        if let map = item.entry.sparse { return map.size == 0 ? .empty : .object(digest, length: map.size) }
        if item.entry.size == 0 { return .empty }
        require(item.offset % 512 == 0, "payloads start at blocks")
        return .stream(offset: item.offset, length: item.entry.size)
    }

    private static let digest = SHA256.digest(of: [UInt8](repeating: 7, count: 3).raw)
}
