// ImageReference owns the name of an image in Docker's normal form, so that two
// spellings of one name are one key in the catalogue.

import LaminaCore

/// An image name: `[domain/]path[:tag][@digest]`.
///
/// Follows the grammar of the distribution project's `reference` package: a missing domain is
/// `docker.io`, a single path component there belongs to `library/`, a missing tag is `latest`.
public struct ImageReference: Hashable, Sendable {
    /// Host and port of a registry.
    public let domain: String
    public let path: String
    /// Nil only when a digest is given without a tag.
    public let tag: String?
    public let digest: Digest?

    static let defaultDomain = "docker.io"
    static let officialPrefix = "library/"

    /// Parses `text`; `badInput` when it does not follow the grammar.
    public init(_ text: String) throws(LaminaError) {
        func refuse(_ reason: String) -> LaminaError { LaminaError(.badInput, "\"\(text)\"", reason) }
        guard text.utf8.count <= 4096 else { throw LaminaError(.badInput, "image reference", "is too long") }
        var rest = text[...]
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            digest = Digest(rest[rest.index(after: at)...])
            guard digest != nil else { throw refuse("is not an image reference: invalid digest") }
            rest = rest[..<at]
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        var domain = Self.defaultDomain
        var path = String(rest)
        if let slash = rest.firstIndex(of: "/"), Self.isDomain(rest[..<slash]) {
            domain = String(rest[..<slash])
            path = String(rest[rest.index(after: slash)...])
        }
        if domain == "index.docker.io" { domain = Self.defaultDomain }
        if domain == Self.defaultDomain && !path.contains("/") { path = Self.officialPrefix + path }
        guard Self.isPath(path) else { throw refuse("is not an image reference: invalid name") }
        if tag == nil && digest == nil { tag = "latest" }
        if let tag, !Self.isTag(tag) { throw refuse("is not an image reference: invalid tag") }
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest
    }

    /// All parts, for the catalogue: `docker.io/library/small:latest`.
    public var normalised: String {
        "\(domain)/\(path)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }

    /// As people write it: without what is the default: `small:latest`.
    public var familiar: String {
        Self.familiar(normalised)
    }

    /// The familiar form of a normalised reference.
    public static func familiar(_ normalised: String) -> String {
        let defaults = defaultDomain + "/"
        guard normalised.hasPrefix(defaults) else { return normalised }
        let path = normalised.dropFirst(defaults.count)
        let short = path.hasPrefix(officialPrefix) ? path.dropFirst(officialPrefix.count) : path
        return String(short.contains("/") ? path : short)
    }

    private static func isDomain(_ text: Substring) -> Bool {
        guard text.contains(where: { $0 == "." || $0 == ":" || $0.isUppercase }) || text == "localhost" else {
            return false
        }
        return !text.isEmpty
            && text.utf8.allSatisfy { isAlphanumeric($0) || [0x2E, 0x3A, 0x2D, 0x5B, 0x5D].contains($0) }
    }

    /// Components of lowercase letters and digits, joined inside by `.`, `_`, `__` or dashes.
    static func isPath(_ text: String) -> Bool {
        guard text.utf8.count <= 255 else { return false }
        return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isPathComponent)
    }

    private static func isPathComponent(_ text: Substring) -> Bool {
        func isPlain(_ byte: UInt8) -> Bool { isAlphanumeric(byte) && !(0x41...0x5A).contains(byte) }
        guard let first = text.utf8.first, let last = text.utf8.last, isPlain(first), isPlain(last) else {
            return false
        }
        let separators = text.utf8.split(whereSeparator: isPlain).map { String($0) ?? "" }
        return separators.allSatisfy { separator in
            [".", "_", "__"].contains(separator) || separator.utf8.allSatisfy { $0 == UInt8(ascii: "-") }
        }
    }

    /// At most 128 of letters, digits, `_`, `.`, `-`, not starting with `.` or `-`.
    static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == UInt8(ascii: "_") }
        return isWord(first) && text.utf8.allSatisfy { isWord($0) || $0 == 0x2E || $0 == 0x2D }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
