// ImageFilter owns which images a list is about: Docker's `--filter` and its pattern of names.

import Glibc
import LaminaCore

/// Conditions on images, all of which must hold.
public struct ImageFilter: Sendable, Hashable {
    /// Whether images without a name are meant, or only those with one; nil: both.
    public var isDangling: Bool?
    /// `KEY` or `KEY=VALUE`, all of which an image must have.
    public var labels: [String] = []
    /// Images that are older than all of these, and newer than all of those.
    public var before: [String] = []
    public var since: [String] = []
    /// Shell patterns of names, one of which a name must match. Empty: any.
    public var references: [String] = []

    public init() {}

    /// Parses conditions `NAME=VALUE`. Throws `usage`.
    public init(_ conditions: [String]) throws(LaminaError) {
        for condition in conditions where !condition.isEmpty {
            let (name, value) = ByteString(condition).cut(at: UInt8(ascii: "="))
            guard let value = value?.trimmed.text else {
                throw LaminaError(
                    .usage, "--filter \(condition)", "bad format of filter (expected name=value)")
            }
            switch name.trimmed.lowercased.text {
            case "dangling":
                let values: [String: Bool] = ["1": true, "true": true, "0": false, "false": false]
                guard let bool = values[value], isDangling == nil || isDangling == bool else {
                    throw LaminaError(.usage, "--filter", "invalid filter 'dangling=\(value)'")
                }
                isDangling = bool
            case "label": labels.append(value)
            case "before": before.append(value)
            case "since": since.append(value)
            case "reference": references.append(value)
            default: throw LaminaError(.usage, "--filter", "invalid filter '\(name.trimmed.text)'")
            }
        }
    }

    /// The names of an image that a pattern matches; nil when there must be one and is none.
    func names(of image: Image) -> [String]? {
        if references.isEmpty { return image.references }
        let names = image.references.filter { name in
            references.contains { Self.matches(name, $0) }
        }
        return names.isEmpty ? nil : names
    }

    private static func isMatch(_ text: String, _ pattern: String) -> Bool {
        // SAFETY: both are terminated strings during the call.
        unsafe fnmatch(pattern, text, FNM_PATHNAME) == 0
    }

    /// Whether a normalised reference matches, in its familiar form, with its tag or without.
    private static func matches(_ reference: String, _ pattern: String) -> Bool {
        let familiar = ImageReference.familiar(reference)
        var name = familiar[...]
        if let at = name.firstIndex(of: "@") { name = name[..<at] }
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") { name = name[..<colon] }
        return isMatch(familiar, pattern) || isMatch(String(name), pattern)
    }
}

extension Engine {
    /// The images that `filter` lets through, newest in the store first. An image of which a pattern
    /// matches some names comes with those alone. O(images + their layers).
    ///
    /// Throws `notFound` for an unknown image of `before` or `since`, `usage` for a wrong pattern.
    public func images(_ filter: ImageFilter) throws(LaminaError) -> [Image] {
        var bounds: (oldest: Int64, newest: Int64) = (.min, .max)
        for text in filter.before { bounds.newest = min(bounds.newest, Self.age(of: try image(text))) }
        for text in filter.since { bounds.oldest = max(bounds.oldest, Self.age(of: try image(text))) }
        var result: [Image] = []
        for var image in try images() {
            guard let names = filter.names(of: image) else { continue }
            image.references = names
            if let isDangling = filter.isDangling, names.isEmpty != isDangling { continue }
            if !filter.before.isEmpty, Self.age(of: image) >= bounds.newest { continue }
            if !filter.since.isEmpty, Self.age(of: image) <= bounds.oldest { continue }
            if try !hasLabels(image, filter.labels) { continue }
            result.append(image)
        }
        return result
    }

    /// When it was made; where its config does not say so, when it came.
    private static func age(of image: Image) -> Int64 { image.createdSeconds ?? image.loaded }

    private func hasLabels(_ image: Image, _ labels: [String]) throws(LaminaError) -> Bool {
        if labels.isEmpty { return true }
        let own = try details(of: image).labels
        return labels.allSatisfy { label in
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = own[String(parts[0])] else { return false }
            return parts.count == 1 || value == parts[1]
        }
    }
}
