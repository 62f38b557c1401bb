// PruneFilter owns which things a prune is about: Docker's `--filter`.

import Foundation
import LaminaCore

/// Conditions, all of which must hold.
public struct PruneFilter: Sendable, Hashable {
    /// Only what was made before this time, in seconds since the epoch.
    public var until: Int64?
    /// Labels that a thing must have, each with this value or, for nil, any.
    public var labels: [VolumeFilter.Label] = []
    /// Labels that a thing must not have, any of them.
    public var withoutLabels: [VolumeFilter.Label] = []

    public init() {}

    /// Parses conditions `until=TIME`, `label=KEY[=VALUE]`, `label!=KEY[=VALUE]`. TIME is RFC 3339, seconds since
    /// the epoch, or a duration before now as Go writes it (`36h`, `10m30s`). Throws `usage`.
    public init(_ conditions: [String], now: Int64) throws(LaminaError) {
        for condition in conditions where !condition.isEmpty {
            guard let equals = condition.firstIndex(of: "=") else {
                throw LaminaError(
                    .usage, "--filter \(condition)", "bad format of filter (expected name=value)")
            }
            let value = String(condition[condition.index(after: equals)...])
            switch condition[..<equals].lowercased() {
            case "until":
                guard let time = Self.time(value, now: now) else {
                    throw LaminaError(.usage, "--filter \(condition)", "is no time and no duration")
                }
                until = min(until ?? time, time)
            case "label": labels.append(VolumeFilter.Label(value))
            case "label!": withoutLabels.append(VolumeFilter.Label(value))
            default: throw LaminaError(.usage, "--filter", "invalid filter '\(condition[..<equals])'")
            }
        }
    }

    static func time(_ text: String, now: Int64) -> Int64? {
        if let seconds = Int64(text) { return seconds >= 0 ? seconds : nil }
        if let seconds = duration(text) { return now.subtractingReportingOverflow(seconds).partialValue }
        return RFC3339.seconds(text)
    }

    /// Seconds of a Go duration of hours, minutes and seconds.
    private static func duration(_ text: String) -> Int64? {
        var rest = text[...]
        var total: Double = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let number = Double(digits), number.isFinite else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            switch unit {
            case "h": total += number * 3600
            case "m": total += number * 60
            case "s": total += number
            case "ms": total += number / 1000
            default: return nil
            }
        }
        return Int64(exactly: total.rounded(.up))
    }

    /// Whether something made at `created` with these labels passes.
    func accepts(created: Int64, labels has: [String: String]) -> Bool {
        if let until, created >= until { return false }
        func matches(_ label: VolumeFilter.Label) -> Bool {
            guard let value = has[label.key] else { return false }
            return label.value == nil || label.value == value
        }
        return labels.allSatisfy(matches) && !withoutLabels.contains(where: matches)
    }
}
