// Turns a document's bytes into a value, or into one line that names the document and
// the field at fault.

import Foundation
import LaminaCore

enum DocumentParsing {
    /// Parses JSON of at most `Limits.documentSize` bytes; `badInput` naming `thing` otherwise.
    static func parse<Document: Decodable>(
        _ type: Document.Type, from bytes: [UInt8], named thing: String
    ) throws(LaminaError) -> Document {
        guard bytes.count <= Limits.documentSize else {
            throw LaminaError(.badInput, thing, "is larger than \(Limits.documentSize) bytes")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw LaminaError(.badInput, thing, reason(of: error), cause: error)
        } catch {
            throw LaminaError(.badInput, thing, "is not valid JSON", cause: error)
        }
    }

    private static func reason(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "\(path(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(path(context.codingPath)) has the wrong type"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "is not valid JSON" : "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default:
            "is not valid"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.isEmpty
            ? "the document"
            : keys.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined(separator: ".")
    }
}
