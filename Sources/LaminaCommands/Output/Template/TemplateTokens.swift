// TemplateTokens owns the words between `{{` and `}}`.

import LaminaEngine

/// A word of an action.
enum TemplateToken: Equatable {
    /// `.A.B`; empty for the dot alone.
    case field([String])
    case word(String)
    case text(String)
    case number(Int64)
    case pipe
    case open
    case close
}

/// Why a template is refused, without saying which option it was given to.
struct TemplateError: Error {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}

enum TemplateTokens {
    /// The tokens of one action. O(characters).
    static func all(_ action: Substring) throws(TemplateError) -> [TemplateToken] {
        var rest = action
        var tokens: [TemplateToken] = []
        while let first = rest.first {
            switch first {
            case " ", "\t", "\n", "\r": rest.removeFirst()
            case "|":
                rest.removeFirst()
                tokens.append(.pipe)
            case "(":
                rest.removeFirst()
                tokens.append(.open)
            case ")":
                rest.removeFirst()
                tokens.append(.close)
            case "\"": tokens.append(.text(try quoted(&rest)))
            case "`":
                rest.removeFirst()
                guard let end = rest.firstIndex(of: "`") else { throw TemplateError("unterminated string") }
                tokens.append(.text(String(rest[..<end])))
                rest = rest[end...].dropFirst()
            default: tokens.append(try plain(&rest))
            }
        }
        return tokens
    }

    private static func plain(_ rest: inout Substring) throws(TemplateError) -> TemplateToken {
        let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "-" }
        guard let first = word.first else { throw TemplateError("unexpected \"\(rest.prefix(1))\"") }
        rest = rest[word.endIndex...]
        if first == "." {
            let parts = word.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
            if word == "." { return .field([]) }
            guard parts.allSatisfy({ !$0.isEmpty }) else { throw TemplateError("bad field \"\(word)\"") }
            return .field(parts.map(String.init))
        }
        if let number = Int64(word) { return .number(number) }
        return .word(String(word))
    }

    /// A string of Go between double quotes, with the escapes that a shell leaves.
    private static func quoted(_ rest: inout Substring) throws(TemplateError) -> String {
        rest.removeFirst()
        var result = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return result
            case "\\":
                guard let escaped = rest.popFirst() else { break }
                switch escaped {
                case "n": result.append("\n")
                case "t": result.append("\t")
                case "\\", "\"": result.append(escaped)
                default: throw TemplateError("unknown escape \\\(escaped)")
                }
            default: result.append(character)
            }
        }
        throw TemplateError("unterminated string")
    }
}
