// VolumeFilter owns which volumes a list or a prune is about: Docker's `--filter`.

import LaminaCore

/// Conditions on volumes, all of which must hold.
public struct VolumeFilter: Sendable, Hashable {
    /// What takes a filter, and with it the names that there are.
    public enum Use: Sendable {
        /// `dangling`, `driver`, `label`, `name`.
        case list
        /// `all`, `label`, `label!`.
        case prune
    }

    /// Whether volumes that no sandbox uses are meant, or only the others; nil: both.
    public var isDangling: Bool?
    /// Regular expressions, one of which a name has a match of, or equals. Empty: any name.
    public var names: [String] = []
    /// One of which the driver is. Empty: any.
    public var drivers: [String] = []
    /// Labels that a volume must have, each with this value or, for nil, any.
    public var labels: [Label] = []
    /// Labels all of which a volume must not have.
    public var withoutLabels: [Label] = []
    /// The value of `all`, which only a prune knows.
    public var all: Bool?

    public struct Label: Sendable, Hashable {
        public var key: String
        public var value: String?

        init(_ text: String) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            key = String(parts.first ?? "")
            value = parts.count > 1 ? String(parts[1]) : nil
        }
    }

    public init() {}

    /// Parses conditions `NAME=VALUE`. Throws `usage`.
    public init(_ conditions: [String], for use: Use) throws(LaminaError) {
        for condition in conditions where !condition.isEmpty {
            let (name, value) = ByteString(condition).cut(at: UInt8(ascii: "="))
            guard let value else {
                throw LaminaError(
                    .usage, "--filter \(condition)", "bad format of filter (expected name=value)")
            }
            try add(name.trimmed.lowercased.text, value.trimmed.text, for: use)
        }
    }

    private mutating func add(_ name: String, _ value: String, for use: Use) throws(LaminaError) {
        switch (name, use) {
        case ("label", _): labels.append(Label(value))
        case ("label!", .prune): withoutLabels.append(Label(value))
        case ("name", .list): names.append(value)
        case ("driver", .list): drivers.append(value)
        case ("dangling", .list): isDangling = try Self.bool(name, value, isDangling)
        case ("all", .prune): all = try Self.bool(name, value, all)
        default: throw LaminaError(.usage, "--filter", "invalid filter '\(name)'")
        }
    }

    private static func bool(
        _ name: String, _ value: String, _ earlier: Bool?
    ) throws(LaminaError) -> Bool {
        let values: [String: Bool] = ["1": true, "true": true, "0": false, "false": false]
        guard let result = values[value], earlier == nil || earlier == result else {
            throw LaminaError(.usage, "--filter", "invalid filter '\(name)=\(value)'")
        }
        return result
    }

    func accepts(_ volume: Volume) -> Bool {
        if let isDangling, volume.sandboxes.isEmpty != isDangling { return false }
        if !drivers.isEmpty && !drivers.contains(volume.driver) { return false }
        if !names.isEmpty && !names.contains(where: { Self.matches(volume.name, $0) }) { return false }
        if !labels.allSatisfy({ Self.has(volume, $0) }) { return false }
        return withoutLabels.isEmpty || !withoutLabels.allSatisfy { Self.has(volume, $0) }
    }

    private static func has(_ volume: Volume, _ label: Label) -> Bool {
        guard let value = volume.labels[label.key] else { return false }
        return label.value == nil || label.value == value
    }

    /// What is no regular expression matches nothing, as with Docker.
    private static func matches(_ name: String, _ pattern: String) -> Bool {
        if name == pattern { return true }
        guard let expression = try? Regex(pattern) else { return false }
        return (try? expression.firstMatch(in: name)) != nil
    }
}
