// FieldValue owns what a template can see: the values of JSON, with numbers and text kept apart.

import Foundation

/// A value of an output's fields.
enum FieldValue: Equatable {
    case null
    case bool(Bool)
    case number(Int64)
    case real(Double)
    case text(String)
    case list([FieldValue])
    case map([String: FieldValue])

    /// What JSON can say of `object`; nil for what it cannot.
    init?(object: Any) {
        let data = try? JSONSerialization.data(withJSONObject: ["value": object])
        guard let data, let value = try? JSONDecoder().decode([String: FieldValue].self, from: data) else {
            return nil
        }
        self = value["value"] ?? .null
    }

    /// One line of JSON, keys in order.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // An array around it, because a document that is no array or object is not everywhere taken.
        guard let data = try? encoder.encode([self]) else { return "null" }
        return String(String(decoding: data, as: UTF8.self).dropFirst().dropLast())
    }

    /// As Go's `fmt` prints it with `%v`.
    var printed: String {
        switch self {
        case .null: "<nil>"
        case .bool(let value): "\(value)"
        case .number(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value): value
        case .list(let values): "[" + values.map(\.printed).joined(separator: " ") + "]"
        case .map(let values):
            "map["
                + values.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.printed)" }
                .joined(separator: " ") + "]"
        }
    }

    /// What `if` takes for false: Go's zero values.
    var isEmpty: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .number(let value): value == 0
        case .real(let value): value == 0
        case .text(let value): value.isEmpty
        case .list(let values): values.isEmpty
        case .map(let values): values.isEmpty
        }
    }
}

extension FieldValue: Codable {
    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Int64.self) {
            self = .number(number)
        } else if let real = try? value.decode(Double.self) {
            self = .real(real)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([FieldValue].self) {
            self = .list(list)
        } else {
            self = .map(try value.decode([String: FieldValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .real(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .map(let value): try container.encode(value)
        }
    }
}
