// GoTemplate owns a parsed template of `--format`: the part of Go's text/template that people use with Docker.
// Fields, pipes, strings, `if`, `range`, `with`, and the functions of docs.docker.com/engine/cli/formatting.

/// A template: text with actions between `{{` and `}}`.
struct GoTemplate {
    /// A part of a template.
    indirect enum Node {
        case text(String)
        case output([Command])
        case condition([Command], [Node], [Node])
        case range([Command], [Node], [Node])
        case with([Command], [Node], [Node])
    }

    /// One step of a pipe: a function with arguments, or one value.
    struct Command {
        var function: String?
        var arguments: [Operand]
    }

    indirect enum Operand {
        case field([String])
        case literal(FieldValue)
        case pipe([Command])
    }

    let nodes: [Node]
    /// Actions within each other that a template may have.
    private static let depthLimit = 32

    /// Parses `text`, in which `\t` and `\n` stand for a tab and a new line, as Docker has it.
    init(_ text: String) throws(TemplateError) {
        let unescaped = text.replacing("\\t", with: "\t").replacing("\\n", with: "\n")
        var pieces = try Self.pieces(unescaped[...])[...]
        nodes = try Self.nodes(&pieces, depth: 0)
        if case .action(let tokens)? = pieces.first {
            throw TemplateError("unexpected {{\(Self.keyword(tokens) ?? "")}}")
        }
    }

    private enum Piece {
        case text(String)
        case action([TemplateToken])
    }

    /// Cuts text and actions apart; `{{-` and `-}}` take white space away.
    private static func pieces(_ text: Substring) throws(TemplateError) -> [Piece] {
        var rest = text
        var result: [Piece] = []
        var trims = false
        while let start = rest.firstRange(of: "{{") {
            var before = rest[..<start.lowerBound]
            rest = rest[start.upperBound...]
            if trims { before = before.drop(while: \.isWhitespace) }
            if rest.hasPrefix("- ") {
                while before.last?.isWhitespace == true { before.removeLast() }
                rest = rest.dropFirst()
            }
            if !before.isEmpty { result.append(.text(String(before))) }
            guard let end = rest.firstRange(of: "}}") else { throw TemplateError("unclosed action") }
            var action = rest[..<end.lowerBound]
            rest = rest[end.upperBound...]
            trims = action.hasSuffix(" -")
            if trims { action = action.dropLast() }
            if action.hasPrefix("/*") { continue }
            result.append(.action(try TemplateTokens.all(action)))
        }
        if trims { rest = rest.drop(while: \.isWhitespace) }
        if !rest.isEmpty { result.append(.text(String(rest))) }
        return result
    }

    private static func keyword(_ tokens: [TemplateToken]) -> String? {
        if case .word(let word)? = tokens.first { word } else { nil }
    }

    /// The nodes up to an `else` or `end`, which stays.
    private static func nodes(
        _ pieces: inout ArraySlice<Piece>, depth: Int
    ) throws(TemplateError) -> [Node] {
        guard depth < depthLimit else { throw TemplateError("actions are nested too deeply") }
        var result: [Node] = []
        while let piece = pieces.first {
            switch piece {
            case .text(let text):
                pieces.removeFirst()
                result.append(.text(text))
            case .action(let tokens):
                let word = keyword(tokens)
                if word == "end" || word == "else" { return result }
                pieces.removeFirst()
                switch word {
                case "if", "range", "with":
                    result.append(try block(word ?? "", Array(tokens.dropFirst()), &pieces, depth: depth))
                default: result.append(.output(try pipe(tokens)))
                }
            }
        }
        return result
    }

    private static func block(
        _ word: String, _ tokens: [TemplateToken], _ pieces: inout ArraySlice<Piece>, depth: Int
    ) throws(TemplateError) -> Node {
        let condition = try pipe(tokens)
        let body = try nodes(&pieces, depth: depth + 1)
        var other: [Node] = []
        if case .action(let tokens)? = pieces.first, keyword(tokens) == "else" {
            pieces.removeFirst()
            if tokens.count > 1, case .word("if") = tokens[1] {
                // `else if` shares the one `end`.
                other = [try block("if", Array(tokens.dropFirst(2)), &pieces, depth: depth + 1)]
                return node(word, condition, body, other)
            }
            other = try nodes(&pieces, depth: depth + 1)
        }
        guard case .action(let tokens)? = pieces.popFirst(), keyword(tokens) == "end" else {
            throw TemplateError("{{\(word)}} without {{end}}")
        }
        return node(word, condition, body, other)
    }

    private static func node(
        _ word: String, _ condition: [Command], _ body: [Node], _ other: [Node]
    ) -> Node {
        switch word {
        case "range": .range(condition, body, other)
        case "with": .with(condition, body, other)
        default: .condition(condition, body, other)
        }
    }

    private static func pipe(_ tokens: [TemplateToken]) throws(TemplateError) -> [Command] {
        var rest = tokens[...]
        let result = try pipe(&rest, depth: 0)
        if !rest.isEmpty { throw TemplateError("unexpected \")\"") }
        return result
    }

    private static func pipe(
        _ rest: inout ArraySlice<TemplateToken>, depth: Int
    ) throws(TemplateError) -> [Command] {
        guard depth < depthLimit else { throw TemplateError("parentheses are nested too deeply") }
        var commands: [Command] = []
        var current = Command(function: nil, arguments: [])
        func isEmpty() -> Bool { current.function == nil && current.arguments.isEmpty }
        while let token = rest.first, token != .close {
            rest.removeFirst()
            switch token {
            case .pipe:
                if isEmpty() { throw TemplateError("missing value for command") }
                commands.append(current)
                current = Command(function: nil, arguments: [])
            case .word(let word):
                if word == "true" || word == "false" {
                    current.arguments.append(.literal(.bool(word == "true")))
                    continue
                }
                guard isEmpty() else { throw TemplateError("unexpected \"\(word)\"") }
                guard TemplateFunction.names.contains(word) else {
                    throw TemplateError("function \"\(word)\" not defined")
                }
                current.function = word
            case .field(let path): current.arguments.append(.field(path))
            case .text(let text): current.arguments.append(.literal(.text(text)))
            case .number(let number): current.arguments.append(.literal(.number(number)))
            case .open:
                current.arguments.append(.pipe(try pipe(&rest, depth: depth + 1)))
                guard rest.popFirst() == .close else { throw TemplateError("missing \")\"") }
            case .close: break
            }
        }
        if isEmpty() { throw TemplateError("missing value for command") }
        return commands + [current]
    }
}
