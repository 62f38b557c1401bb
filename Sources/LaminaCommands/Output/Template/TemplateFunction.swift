// TemplateFunction owns the functions that a template may call: Docker's, and those of Go that its documents use.

enum TemplateFunction {
    static let names: Set<String> = [
        "json", "upper", "lower", "title", "truncate", "join", "split", "pad", "len", "index", "print",
        "println", "eq", "ne", "not", "and", "or",
    ]

    static func call(_ name: String, _ arguments: [FieldValue]) throws(TemplateError) -> FieldValue {
        func argument(_ index: Int) throws(TemplateError) -> FieldValue {
            guard index < arguments.count else { throw TemplateError("\(name): missing argument") }
            return arguments[index]
        }
        func text(_ index: Int) throws(TemplateError) -> String {
            guard case .text(let value) = try argument(index) else {
                throw TemplateError("\(name): \(try argument(index).printed) is no string")
            }
            return value
        }
        func number(_ index: Int) throws(TemplateError) -> Int {
            guard case .number(let value) = try argument(index), let value = Int(exactly: value) else {
                throw TemplateError("\(name): \(try argument(index).printed) is no number")
            }
            return value
        }
        switch name {
        case "json": return .text(try argument(0).json)
        case "upper": return .text(try text(0).uppercased())
        case "lower": return .text(try text(0).lowercased())
        case "title": return .text(try text(0).prefix(1).uppercased() + text(0).dropFirst())
        case "truncate": return .text(String(try text(0).prefix(max(try number(1), 0))))
        case "pad": return .text(try pad(text(0), number(1), number(2)))
        case "split":
            let parts = try text(0).split(separator: text(1), omittingEmptySubsequences: false)
            return .list(parts.map { .text(String($0)) })
        case "join":
            guard case .list(let values) = try argument(0) else { throw TemplateError("join: no list") }
            return .text(values.map(\.printed).joined(separator: try text(1)))
        case "len": return .number(Int64(try count(argument(0))))
        case "index": return try index(argument(0), arguments.dropFirst())
        case "print": return .text(arguments.map(\.printed).joined())
        case "println": return .text(arguments.map(\.printed).joined(separator: " ") + "\n")
        case "eq":
            let first = try argument(0)
            return .bool(arguments.dropFirst().contains(first))
        case "ne": return .bool(try argument(0) != argument(1))
        case "not": return .bool(try argument(0).isEmpty)
        case "and": return arguments.first(where: \.isEmpty) ?? arguments.last ?? .null
        case "or": return arguments.first { !$0.isEmpty } ?? arguments.last ?? .null
        default: throw TemplateError("function \"\(name)\" not defined")
        }
    }

    /// At most a kilobyte on each side: the numbers come from a command line.
    private static func pad(_ text: String, _ before: Int, _ after: Int) -> String {
        func spaces(_ count: Int) -> String { String(repeating: " ", count: min(max(count, 0), 1024)) }
        return text.isEmpty ? text : spaces(before) + text + spaces(after)
    }

    private static func count(_ value: FieldValue) throws(TemplateError) -> Int {
        switch value {
        case .text(let text): text.utf8.count
        case .list(let values): values.count
        case .map(let values): values.count
        default: throw TemplateError("len of \(value.printed)")
        }
    }

    private static func index(
        _ value: FieldValue, _ keys: ArraySlice<FieldValue>
    ) throws(TemplateError) -> FieldValue {
        var current = value
        for key in keys {
            switch (current, key) {
            case (.map(let values), .text(let name)): current = values[name] ?? .null
            case (.list(let values), .number(let number)):
                guard let place = Int(exactly: number), values.indices.contains(place) else {
                    throw TemplateError("index out of range: \(number)")
                }
                current = values[place]
            default: throw TemplateError("cannot index \(current.printed) with \(key.printed)")
            }
        }
        return current
    }
}
