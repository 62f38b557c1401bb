// ConfigChange owns the instructions by which `-c` changes an image's config: those of a Dockerfile that
// make no layer (Docker's reference of `commit` and `import`).

import Foundation
import LaminaCore

/// One parsed instruction.
enum ConfigChange {
    case command(String, [String]?, shell: String?)
    case pairs(String, [(key: String, value: String)])
    case set(String, [String])
    case value(String, String)
    case append(String, String)

    /// Throws `usage` for anything else.
    init(_ text: String) throws(LaminaError) {
        let parts = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        let name = parts.first.map { $0.uppercased() } ?? ""
        let rest = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        func refuse(_ reason: String) -> LaminaError { LaminaError(.usage, "--change \"\(text)\"", reason) }
        if rest.isEmpty { throw refuse(name.isEmpty ? "is empty" : "\(name) requires an argument") }
        switch name {
        case "CMD", "ENTRYPOINT":
            let words = Self.jsonWords(rest)
            self = .command(name == "CMD" ? "Cmd" : "Entrypoint", words, shell: words == nil ? rest : nil)
        case "ENV", "LABEL":
            guard let pairs = Self.pairs(rest) else { throw refuse("is not KEY=VALUE") }
            self = .pairs(name == "ENV" ? "Env" : "Labels", pairs)
        case "EXPOSE":
            var ports: [String] = []
            for word in Self.words(rest) {
                guard let port = Self.port(word) else { throw refuse("invalid port \"\(word)\"") }
                ports.append(port)
            }
            self = .set("ExposedPorts", ports)
        case "VOLUME": self = .set("Volumes", Self.jsonWords(rest) ?? Self.words(rest))
        case "USER": self = .value("User", rest)
        case "WORKDIR": self = .value("WorkingDir", rest)
        case "STOPSIGNAL": self = .value("StopSignal", rest)
        case "ONBUILD": self = .append("OnBuild", rest)
        default: throw refuse("\(name) is not a valid change command")
        }
    }

    /// Changes the `config` of an image.
    func apply(to config: inout [String: Any]) {
        switch self {
        case .command(let field, let words, let shell):
            let shellWords = config["Shell"] as? [String] ?? ["/bin/sh", "-c"]
            config[field] = words ?? shellWords + [shell ?? ""]
            // As a Dockerfile: an entry point takes the image's command away.
            if field == "Entrypoint" { config["Cmd"] = nil }
        case .pairs("Env", let pairs):
            var lines = config["Env"] as? [String] ?? []
            for (key, value) in pairs {
                let line = "\(key)=\(value)"
                if let index = lines.firstIndex(where: { $0.hasPrefix("\(key)=") }) {
                    lines[index] = line
                } else {
                    lines.append(line)
                }
            }
            config["Env"] = lines
        case .pairs(let field, let pairs):
            var labels = config[field] as? [String: Any] ?? [:]
            for (key, value) in pairs { labels[key] = value }
            config[field] = labels
        case .set(let field, let keys):
            var values = config[field] as? [String: Any] ?? [:]
            for key in keys { values[key] = [String: Any]() }
            config[field] = values
        case .value("WorkingDir", let path):
            let base = config["WorkingDir"] as? String ?? "/"
            config["WorkingDir"] = path.hasPrefix("/") ? path : base + (base.hasSuffix("/") ? "" : "/") + path
        case .value(let field, let value): config[field] = value
        case .append(let field, let value):
            config[field] = (config[field] as? [String] ?? []) + [value]
        }
    }

    private static func jsonWords(_ text: String) -> [String]? {
        guard text.hasPrefix("[") else { return nil }
        return try? JSONDecoder().decode([String].self, from: Data(text.utf8))
    }

    /// Words between white space; quotes hold them together, a backslash takes the next character as it is.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var current: String?
        var quote: Character?
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "\\" && quote != "'" {
                current = (current ?? "") + (rest.popFirst().map(String.init) ?? "\\")
            } else if let open = quote {
                if character == open { quote = nil } else { current = (current ?? "") + String(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                current = current ?? ""
            } else if character.isWhitespace {
                if let word = current { words.append(word) }
                current = nil
            } else {
                current = (current ?? "") + String(character)
            }
        }
        return words + (current.map { [$0] } ?? [])
    }

    /// `K=V K=V`, or the old form `K V V V`.
    private static func pairs(_ text: String) -> [(key: String, value: String)]? {
        let first = text.prefix { !$0.isWhitespace }
        if !first.contains("=") {
            let value = text.dropFirst(first.count).trimmingCharacters(in: .whitespaces)
            return value.isEmpty ? nil : [(String(first), value)]
        }
        var result: [(key: String, value: String)] = []
        for word in words(text) {
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else { return nil }
            result.append((String(word[..<equals]), String(word[equals...].dropFirst())))
        }
        return result
    }

    /// `80`, `80/udp`, or a range.
    private static func port(_ text: String) -> String? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let kind = parts.count == 2 ? parts[1].lowercased() : "tcp"
        guard parts.count <= 2, ["tcp", "udp", "sctp"].contains(kind) else { return nil }
        let numbers = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard numbers.count <= 2, numbers.allSatisfy({ $0 != nil }) else { return nil }
        return "\(parts[0])/\(kind)"
    }
}
