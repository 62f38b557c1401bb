// What a check of the store finds.

import LaminaCore

/// What to check, and what to do about it.
public struct CheckOptions: Sendable {
    /// Read everything and compare it with its digest; rebuild each index and chain and compare.
    public var deep = false
    /// Mend what can be mended from what is left.
    public var repair = false
    /// Bytes that a deep check reads in a second at most, about; nil: as fast as it can.
    public var rate: Int64?

    public init() {}
}

/// Something that is not as it should be.
public struct StoreProblem: Sendable, Hashable {
    public enum Outcome: Sendable, Hashable {
        /// It was only looked for.
        case found
        /// What was done.
        case repaired(String)
        /// Why nothing could be done.
        case left(String)
    }

    /// A kind and a name: `object sha256:…`, `sandbox box`.
    public var thing: String
    public var reason: String
    public var outcome = Outcome.found

    init(_ thing: String, _ reason: String) {
        self.thing = thing
        self.reason = reason
    }
}
