import Foundation
import LaminaCodec
import LaminaCore
import LaminaTestSupport
import Testing

/// Reads the archives that other projects test their readers with (Corpus/README.md) and
/// compares every entry with what Go's reader made of it (Corpus/EXPECTED.jsonl).
@Suite struct CorpusTests {
    /// A line of EXPECTED.jsonl.
    struct Line: Decodable {
        var file: String
        var name: String?
        var type: String?
        var mode: String?
        var mtime: String?
        var uid: Int64?
        var gid: Int64?
        var size: UInt64?
        var link: String?
        var dev: [UInt32]?
        var sha256: String?
        var end: String?
    }

    private static let directory = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Corpus")

    /// What must happen with the archives that are not simply read as Go reads them.
    private static let refused: [String: CodecError] = [
        // 60 GB, but for 4 KiB of it holes.
        "go/gnu-sparse-big.tar": .layer(.sparseTooLarge("gnu-sparse", limit: 8 << 30)),
        "go/pax-sparse-big.tar": .layer(.sparseTooLarge("pax-sparse", limit: 8 << 30)),
        "go/issue10968.tar": .tar(.numberOutOfRange, offset: 0),
        "go/issue11169.tar": .tar(.badExtendedHeader, offset: 0),
        "go/issue12435.tar": .tar(.numberOutOfRange, offset: 0),
        "go/neg-size.tar": .tar(.numberOutOfRange, offset: 0),
        "go/pax-bad-hdr-file.tar": .tar(.badExtendedHeader, offset: 0),
        // Not a compression of layers, and too short for a tar.
        "go/pax-bad-hdr-large.tar.bz2": .tar(.truncatedHeader, offset: 0),
        "go/pax-bad-mtime-file.tar": .tar(.badExtendedHeader, offset: 0),
        "go/pax-nul-path.tar": .tar(.badExtendedHeader, offset: 0),
        "go/pax-nul-xattrs.tar": .tar(.badExtendedHeader, offset: 0),
        // Go takes an extended header without an entry for an empty archive.
        "go/pax-path-hdr.tar": .tar(.danglingExtendedHeader, offset: 1024),
        "go/writer-big.tar": .tar(.truncatedPayload, offset: 0),
        "go/writer-big-long.tar": .tar(.truncatedPayload, offset: 1024),
        "python/recursion.tar": .tar(.badExtendedHeader, offset: 0),
    ]

    private static func lines() throws -> [String: [Line]] {
        let text = try String(contentsOf: directory.appending(path: "EXPECTED.jsonl"), encoding: .utf8)
        let lines = try text.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        return Dictionary(grouping: lines, by: \.file)
    }

    private func read(_ file: String) throws -> [UInt8] {
        let bytes = try Array(Data(contentsOf: Self.directory.appending(path: file)))
        var source = try DecompressingSource(MemorySource(bytes))
        var buffer = Buffer(capacity: 1 << 16)
        var tar: [UInt8] = []
        while try buffer.fill(from: &source) {
            let span = buffer.bytes
            for index in span.indices { tar.append(span[index]) }
        }
        return tar
    }

    @Test func refusesTheBrokenOnes() throws {
        for (file, expected) in Self.refused {
            #expect(throws: expected, "\(file)") { try parse(try read(file)) }
        }
    }

    @Test func readsTheOthersAsGoDoes() throws {
        var compared = 0
        for (file, lines) in try Self.lines()
        where Self.refused[file] == nil && file != "go/pax-global-records.tar" {
            // Go hands Solaris's extended headers and global ones out as entries.
            let wanted = lines.filter {
                $0.end == nil && !["g", "X"].contains($0.type)
            }
            let entries = try parse(try read(file))
            #expect(entries.count == wanted.count, "\(file)")
            for (entry, line) in zip(entries, wanted) { check(entry, line) }
            compared += entries.count
        }
        #expect(compared == 143)
    }

    private func check(_ parsed: ParsedEntry, _ line: Line) {
        let entry = parsed.entry
        let name = "\(line.file): \(line.name ?? "")"
        #expect(text(entry.path) == normalised(line.name), "\(name)")
        #expect(entry.attributes.uid == line.uid.map { UInt32($0) }, "\(name)")
        #expect(entry.attributes.gid == line.gid.map { UInt32($0) }, "\(name)")
        // Python applies Solaris's extended header here, as we do; Go does not.
        let expected =
            line.name == "misc/regtype-suntar" ? Timestamp(seconds: 1_041_808_783) : time(line.mtime ?? "")
        #expect(entry.attributes.mtime == expected, "\(name)")
        switch entry.kind {
        case .file:
            #expect(["0", "7", "S"].contains(line.type), "\(name)")
            #expect(entry.sparse?.size ?? entry.size == line.size, "\(name)")
            if let digest = line.sha256 { #expect(sha256(parsed.content).hex == digest, "\(name)") }
        case .directory: #expect(["5", "D"].contains(line.type), "\(name)")
        case .symlink(let target): #expect(line.type == "2" && text(target) == line.link, "\(name)")
        case .hardLink(let target):
            #expect(line.type == "1" && text(target) == normalised(line.link), "\(name)")
        case .device:
            let device = entry.attributes.device
            #expect(["3", "4"].contains(line.type) && line.dev == [device.major, device.minor], "\(name)")
        case .fifo: #expect(line.type == "6", "\(name)")
        }
        if line.type != "2" {
            #expect(
                entry.attributes.permissions == UInt32(line.mode ?? "", radix: 8).map { $0 & 0o7777 },
                "\(name)")
        }
    }

    private func text(_ bytes: ByteString) -> String {
        String(decoding: bytes.bytes, as: UTF8.self)
    }

    private func normalised(_ name: String?) -> String {
        (name ?? "").split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// RFC 3339 with up to nine digits of a second.
    private func time(_ text: String) -> Timestamp? {
        let parts = text.dropLast().split(separator: ".")
        guard let first = parts.first, let date = ISO8601DateFormatter().date(from: first + "Z") else {
            return nil
        }
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let digits = fraction + String(repeating: "0", count: 9 - fraction.count)
        return Timestamp(seconds: Int64(date.timeIntervalSince1970), nanoseconds: UInt32(digits) ?? 0)
    }

    @Test func readsHugeSparseFilesWhenAllowed() throws {
        for file in ["go/gnu-sparse-big.tar", "go/pax-sparse-big.tar"] {
            let entries = try parse(try read(file), limits: TarLimits(sparseSize: 60_000_000_000))
            let map = try #require(entries.first?.entry.sparse)
            #expect(map.size == 60_000_000_000 && map.segments.count == 6)
            #expect(map.segments.last.map { $0.upperBound } == map.size && map.dataSize == 3072)
        }
    }

    /// POSIX and GNU tar apply global headers to what follows; Go leaves that to its caller.
    @Test func appliesGlobalHeaders() throws {
        let entries = try parse(try read("go/pax-global-records.tar")).map(\.entry)
        #expect(entries.map(\.path) == ["global1", "file2", "file3", "file4"])
        #expect(
            entries.map(\.attributes.mtime.seconds) == [
                1_500_000_000, 1_500_000_000, 1_500_000_000, 1_400_000_000,
            ])
    }
}
