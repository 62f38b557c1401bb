// SourceTree owns the view that the package's tests have of its own checkout: which Swift files there are, and
// which modules each of them imports. It reads; it never writes.

import Foundation

/// A Swift file of this checkout.
struct SourceFile: CustomStringConvertible, Sendable {
    /// The path from the root of the checkout, as in "Sources/LaminaCore/Digest.swift".
    let path: String
    let text: String

    var description: String { path }

    /// The lines, without their line breaks.
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The module that the file belongs to: the directory under Sources or Tools.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    /// The modules that the file imports, in order, with repetitions.
    var imports: [String] {
        lines.compactMap { line in Self.importedModule(in: line) }
    }

    /// The module named by an import declaration; nil for any other line.
    static func importedModule(in line: some StringProtocol) -> String? {
        let all: [String] = line.split(separator: " ").map { String($0) }
        var words = all[...]
        let modifiers: Set = ["public", "package", "internal", "fileprivate", "private"]
        while let word = words.first, word.hasPrefix("@") || modifiers.contains(word) {
            words = words.dropFirst()
        }
        guard words.first == "import", var name = words.dropFirst().first else { return nil }
        let kinds: Set = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor"]
        if kinds.contains(name), let next = words.dropFirst(2).first { name = next }
        return name.split(separator: ".").first.map(String.init)
    }
}

enum SourceTree {
    /// The root of the checkout.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All Swift files beneath the named directories of the root, sorted by path.
    static func files(in directories: [String]) throws -> [SourceFile] {
        var found: [SourceFile] = []
        for directory in directories {
            let base = root.appending(path: directory)
            guard let names = FileManager.default.enumerator(atPath: base.path) else { continue }
            for case let name as String in names
            where name.hasSuffix(".swift") && !name.split(separator: "/").contains(".build") {
                let text = try String(contentsOf: base.appending(path: name), encoding: .utf8)
                found.append(SourceFile(path: directory + "/" + name, text: text))
            }
        }
        return found.sorted { $0.path < $1.path }
    }

    /// The text of a file of the checkout.
    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
