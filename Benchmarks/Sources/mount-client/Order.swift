// Order owns the command line: which operation, where, on what, and by how many.

/// What one run of the client does.
struct Order: Sendable {
    var threads = 1
    /// This process's share of the work.
    var part = Part(index: 0, count: 1)
    var waits = false
    var operation = ""
    var root = ""
    var arguments: [String] = []

    init(_ words: [String]) throws(ClientError) {
        var rest = words[...]
        while let word = rest.first, word.hasPrefix("--") {
            rest.removeFirst()
            switch word {
            case "--wait": waits = true
            case "--threads": threads = try Self.number(rest.popFirst())
            case "--part":
                let numbers = (rest.popFirst() ?? "").split(separator: "/").map(String.init)
                guard numbers.count == 2 else { throw ClientError("--part takes I/N") }
                part = Part(index: try Self.number(numbers[0]), count: try Self.number(numbers[1]))
            default: throw ClientError("unknown option \(word)")
            }
        }
        guard rest.count >= 3, threads > 0, part.index < part.count else {
            throw ClientError(
                "usage: mount-client [--threads N] [--part I/N] [--wait] OPERATION ROOT ARGUMENT...")
        }
        operation = rest.removeFirst()
        root = rest.removeFirst()
        arguments = Array(rest)
    }

    /// A number of the operation's arguments.
    func number(_ index: Int) throws(ClientError) -> Int {
        try Self.number(arguments.indices.contains(index) ? arguments[index] : nil)
    }

    private static func number(_ word: String?) throws(ClientError) -> Int {
        guard let word, let value = Int(word), value >= 0 else {
            throw ClientError("\(word ?? "nothing") is no number")
        }
        return value
    }
}

/// One of `count` equal shares of the work.
struct Part: Sendable {
    var index: Int
    var count: Int

    /// The numbers below `limit` that are this share's.
    func numbers(below limit: Int) -> StrideTo<Int> {
        stride(from: index, to: limit, by: count)
    }

    /// A contiguous share of `size` bytes, cut at multiples of `unit`.
    func range(of size: Int, unit: Int) -> Range<Int> {
        let units = (size + unit - 1) / unit
        return units * index / count * unit..<min(size, units * (index + 1) / count * unit)
    }
}

/// Why there is no result.
struct ClientError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
