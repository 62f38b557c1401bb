// SandboxFilter owns which sandboxes a list is about: Docker's `--filter` of `ps`, as far as it means
// something here.

import LaminaCore

/// The status of a mounted sandbox in which a container runs.
private let running = "running"

/// Conditions on sandboxes. Values of one name are alternatives; all names must hold.
public struct SandboxFilter: Sendable, Hashable {
    public static let names = ["ancestor", "before", "id", "name", "since", "status", "volume"]

    private var values: [String: [String]] = [:]

    public init() {}

    /// Parses conditions `NAME=VALUE`. Throws `usage`.
    public init(_ conditions: [String]) throws(LaminaError) {
        for condition in conditions where !condition.isEmpty {
            let (name, value) = ByteString(condition).cut(at: UInt8(ascii: "="))
            guard let value = value?.trimmed.text else {
                throw LaminaError(
                    .usage, "--filter \(condition)", "bad format of filter (expected name=value)")
            }
            let key = name.trimmed.lowercased.text
            guard Self.names.contains(key) else {
                throw LaminaError(.usage, "--filter", "invalid filter '\(key)'")
            }
            if key == "status", value != running, Sandbox.State(rawValue: value) == nil {
                throw LaminaError(
                    .usage, "--filter",
                    "invalid filter 'status=\(value)': idle, mounted, running, stale or detached")
            }
            values[key, default: []].append(value)
        }
    }

    /// Whether a status was asked for, so that more than mounted sandboxes are meant.
    public var hasStatus: Bool { values["status"] != nil }

    func some(_ name: String) -> [String]? { values[name] }
}

extension Engine {
    /// The sandboxes that `filter` lets through, newest first. O(sandboxes + mounts).
    ///
    /// Throws `notFound` for an unknown sandbox of `before` or `since`, or image of `ancestor`.
    public func sandboxes(_ filter: SandboxFilter) throws(LaminaError) -> [Sandbox] {
        let all = try sandboxes()
        var ancestors: [Image]?
        for text in filter.some("ancestor") ?? [] { ancestors = (ancestors ?? []) + [try image(text)] }
        let older = try positions(filter.some("before"), in: all).max()
        let newer = try positions(filter.some("since"), in: all).min()
        return all.enumerated().filter { index, sandbox in
            // The list is newest first.
            if let older, index <= older { return false }
            if let newer, index >= newer { return false }
            if let ancestors, !ancestors.contains(where: { Self.isBased(sandbox, on: $0) }) { return false }
            return Self.accepts(sandbox, filter)
        }.map(\.element)
    }

    private func positions(_ texts: [String]?, in all: [Sandbox]) throws(LaminaError) -> [Int] {
        var result: [Int] = []
        for text in texts ?? [] {
            let id = try sandbox(text).id
            if let index = all.firstIndex(where: { $0.id == id }) { result.append(index) }
        }
        return result
    }

    /// Docker counts an image's descendants too: those whose layers begin with all of its own.
    private static func isBased(_ sandbox: Sandbox, on image: Image) -> Bool {
        sandbox.imageID == image.id || sandbox.diffIDs.starts(with: image.diffIDs)
    }

    private static func accepts(_ sandbox: Sandbox, _ filter: SandboxFilter) -> Bool {
        func holds(_ name: String, _ test: (String) -> Bool) -> Bool {
            filter.some(name)?.contains(where: test) ?? true
        }
        return holds("id") { sandbox.id.hasPrefix($0) }
            && holds("status") { $0 == running ? sandbox.container != nil : sandbox.state.rawValue == $0 }
            && holds("name") { pattern in
                sandbox.name == pattern
                    || (try? Regex(pattern)).flatMap { try? $0.firstMatch(in: sandbox.name) } != nil
            }
            && holds("volume") { place in
                sandbox.redirects.contains {
                    $0.target == ByteString(place) || $0.source == ByteString(place)
                }
            }
    }
}
