import LaminaCore
import LaminaTestSupport
import Testing

@testable import LaminaEngine

/// Random values of `-v` and `--mount`, made of the pieces that mean something: none traps, and what is
/// taken keeps the invariants of a redirect.
@Suite struct RedirectChanceTests {
    private static let pieces: [ByteString] = [
        ":", ",", "=", "\"", "/", "//", "..", ".", "a", "data", "/a", "/b", "ro", "rw", "z", "nocopy",
        "type=",
        "bind", "volume", "tmpfs", "image", "src=", "dst=", "target=", "readonly", "volume-nocopy",
        "volume-subpath=", "tmpfs-size=", "tmpfs-mode=", "1", "99999999999", "k", "gib", "e", " ", "\n", "\t",
        "volume-label=", "consistency=", "cached", "\\", "-", "+", ByteString([0xFF]),
        ByteString([0xC3, 0xA4]),
    ]

    /// The bytes decide which pieces follow each other.
    private func text(_ bytes: ArraySlice<UInt8>) -> ByteString {
        bytes.reduce(ByteString()) { $0 + Self.pieces[Int($1) % Self.pieces.count] }
    }

    private func check(_ redirect: Redirect, _ text: ByteString) {
        #expect(redirect.target.hasPrefix("/") && redirect.target != "/", "\(text)")
        #expect(LexicalPath.clean(redirect.target) == redirect.target, "\(text)")
        switch redirect.kind {
        case .bind:
            #expect(redirect.source.hasPrefix("/") && LexicalPath.clean(redirect.source) == redirect.source)
        case .volume: #expect(redirect.source.isEmpty || !redirect.source.bytes.contains(0x2F), "\(text)")
        case .tmpfs: #expect(redirect.source.isEmpty && redirect.size ?? 1 > 0, "\(text)")
        case .image: #expect(redirect.readOnly && !redirect.source.isEmpty, "\(text)")
        }
        if let subpath = redirect.subpath { #expect(LexicalPath.isLocal(subpath), "\(text)") }
    }

    @Test func nothingTraps() throws {
        let bytes = noise(400_000, seed: 6)
        var taken = 0
        var start = 0
        while start + 12 < bytes.count {
            let length = Int(bytes[start]) % 12
            let text = text(bytes[(start + 1)..<(start + 1 + length)])
            let results = [
                try? RedirectRequest(volume: text, in: "/here"),
                try? RedirectRequest(mount: text, in: "/here"),
                try? RedirectRequest(mount: ByteString("dst=/d,") + text, in: "/here"),
                try? RedirectRequest(volume: text + ":/d", in: "/here"),
            ]
            for request in results.compactMap(\.self) {
                taken += 1
                check(request.redirect, text)
            }
            start += 1 + length
        }
        #expect(taken > 1000, "\(taken)")
    }

    @Test(arguments: [
        ("", "."), (".", "."), ("/", "/"), ("//", "/"), ("/..", "/"), ("..", ".."), ("../..", "../.."),
        ("a/..", "."), ("a/../..", ".."), ("/a/b/../../..", "/"), ("./a//b/.", "a/b"), ("/a/./b/", "/a/b"),
    ])
    func cleans(_ path: String, _ clean: String) {
        #expect(LexicalPath.clean(ByteString(path)) == ByteString(clean))
    }

    @Test(arguments: [
        ("1", 1), ("1b", 1), ("1k", 1024), ("1K", 1024), ("1kb", 1024), ("1KiB", 1024), ("1 k", 1024),
        ("1.5m", 1_572_864), (".5k", 512), ("0.9", 0), ("1e3", 1000), ("1P", 1 << 50), ("2t", 2 << 40),
        ("7g", 7 << 30), ("", nil), ("k", nil), ("-1", nil), ("1x", nil), ("1bk", nil), ("1kx", nil),
        ("1kibb", nil), ("inf", nil), ("0x10", nil), ("1 2", nil), ("9223372036854775808", nil),
        ("8192p", nil),
    ])
    func readsSizes(_ text: String, _ bytes: Int64?) {
        #expect(MemorySize.bytes(text) == bytes)
    }
}
