// How sizes, times and ids are written for people, and values for programs.

import Foundation
import LaminaCore

enum Format {
    /// Bytes with a decimal unit and at most four digits, as Docker writes them: 1.23GB.
    static func size(_ bytes: Int64) -> String {
        var value = Double(max(bytes, 0))
        var unit = 0
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        while value >= 1000 && unit + 1 < units.count {
            value /= 1000
            unit += 1
        }
        if unit == 0 { return "\(max(bytes, 0))B" }
        let digits = value < 10 ? 2 : value < 100 ? 1 : 0
        return String(format: "%.\(digits)f", value) + units[unit]
    }

    /// How long ago a time was, in one unit.
    static func age(_ seconds: Int64, now: Int64 = Int64(Date().timeIntervalSince1970)) -> String {
        duration(since: seconds, now: now) + " ago"
    }

    /// The time since then, in one unit.
    static func duration(since seconds: Int64, now: Int64 = Int64(Date().timeIntervalSince1970)) -> String {
        let age = max(now &- seconds, 0)
        let steps: [(limit: Int64, divisor: Int64, unit: String)] = [
            (60, 1, "second"), (3600, 60, "minute"), (86_400, 3600, "hour"), (1_209_600, 86_400, "day"),
            (5_184_000, 604_800, "week"), (63_072_000, 2_592_000, "month"), (.max, 31_536_000, "year"),
        ]
        for step in steps where age < step.limit {
            let count = age / step.divisor
            return "\(count) \(step.unit)\(count == 1 ? "" : "s")"
        }
        return "long"
    }

    /// The first twelve digits, as Docker shows ids.
    static func short(_ digest: Digest) -> String { String(digest.hex.prefix(12)) }

    /// A time as RFC 3339 in UTC.
    static func time(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }

    /// A time as Go prints it, which Docker's templates show.
    static func goTime(_ seconds: Int64) -> String {
        let text = time(seconds)
        return text.dropLast().replacing("T", with: " ") + " +0000 UTC"
    }

    /// The first `count` characters, the last of them an ellipsis where there are more.
    static func ellipsis(_ text: String, _ count: Int) -> String {
        text.count > count ? text.prefix(count - 1) + "…" : text
    }

    /// One line of JSON, keys in order.
    static func json(_ object: [String: Any]) -> String {
        jsonText(object, pretty: false)
    }

    /// A JSON array over several lines.
    static func json(_ objects: [[String: Any]]) -> String {
        jsonText(objects, pretty: true)
    }

    private static func jsonText(_ value: Any, pretty: Bool) -> String {
        var options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { options.insert(.prettyPrinted) }
        let data = try? JSONSerialization.data(withJSONObject: value, options: options)
        guard let data else { return "null" }
        return String(decoding: data, as: UTF8.self)
    }
}
