// FileRuleTests holds the rules of CONTRIBUTING.md that a machine can check: the length of a file, and the comment
// that opens it.

import Testing

@Suite struct FileRuleTests {
    /// Everything that is ours and written in Swift.
    static let directories = ["Sources", "Tools", "Tests", "Benchmarks", "docs"]

    @Test func noFileIsLongerThan400Lines() throws {
        for file in try SourceTree.files(in: Self.directories) {
            let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
            #expect(count <= 400, "\(file): \(count) lines")
        }
    }

    /// The comment says what the file owns and the invariant that it keeps. Tests may open with their imports.
    @Test func everySourceFileOpensWithAComment() throws {
        let files = try SourceTree.files(in: ["Sources", "Tools"])
        #expect(!files.isEmpty)
        for file in files {
            let opens = file.text.hasPrefix("// ")
            #expect(opens, "\(file) opens with no comment")
        }
    }

    @Test func noTrapOnInputIsWrittenDown() throws {
        for file in try SourceTree.files(in: ["Sources", "Tools"]) {
            for (index, line) in file.lines.enumerated() {
                let code = line.prefix(while: { $0 != "/" })
                let traps = code.contains("try!") || code.contains("fatalError(")
                #expect(!traps, "\(file):\(index + 1)")
            }
        }
    }
}
