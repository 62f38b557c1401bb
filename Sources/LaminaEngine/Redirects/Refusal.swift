// Refusal is the reason why an option's text is none, on its way to whoever knows which option it was.

/// One line without the thing that it is about.
struct Refusal: Error, Hashable {
    var reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    /// Docker knows the option and Lamina has nothing that it could mean.
    static func unsupported(_ option: String, _ reason: String) -> Refusal {
        Refusal("option '\(option)' is not supported: \(reason)")
    }
}
