// The command line of lamina-mountd: what the engine says to it, read as bytes.

import Glibc
import LaminaCore
import LaminaFuse

/// The parsed command line.
struct Arguments {
    var root: ByteString
    var chain: Digest
    var sandbox: ByteString
    var task: Task
    var isReadOnly = false
    var isVolatile = false
    /// Looks names up without regard to case.
    var ignoresCase = false
    /// Mounts what a volatile mount left that did not end cleanly.
    var force = false
    var data = DataChoice.automatic
    /// Whether this server reads and writes all bytes itself.
    var withoutPassthrough = false
    /// Whether content is compared with its digests before it is served.
    var verifiesOnOpen = false
    /// How ids of the image are shown; nil shows them as they are.
    var identities: Identities?
    var readyDescriptor: Int32?

    enum Task {
        /// Serve the sandbox at this directory.
        case mount(ByteString)
        /// Fill block-mapped files; with `all` those without bytes of their own too.
        case materialize(all: Bool)
    }

    /// Whether a mount is to be served.
    var isMount: Bool {
        if case .mount = task { true } else { false }
    }

    /// What was asked for of who moves the bytes of open files.
    enum DataChoice: String {
        case automatic = "auto"
        case passthrough
        case cached
    }

    static let usage = """
        usage: lamina-mountd --root DIR --chain HEX --sandbox DIR --mountpoint DIR
                             [--read-only] [--volatile] [--force] [--ignore-case] [--uidmap MAP] [--gidmap MAP]
                             [--data auto|passthrough|cached] [--no-passthrough]
                             [--verify-on-open] [--ready-fd N]
               lamina-mountd --root DIR --chain HEX --sandbox DIR --materialize [--all]
                             [--ready-fd N]
        MAP is CONTAINER:HOST:COUNT[,...]: ids of the image, and as what the mount shows them.
        Serves one sandbox of a Lamina store until it is unmounted, or gives its block-mapped
        files all their bytes. `lamina mount` and `lamina sandbox materialize` start it.
        """

    /// - Throws: `ArgumentError` naming what is missing or wrong.
    init(_ words: [ByteString]) throws(ArgumentError) {
        var values: [ByteString: ByteString] = [:]
        var index = 0
        while index < words.count {
            let word = words[index]
            switch word {
            case "--read-only": isReadOnly = true
            case "--volatile": isVolatile = true
            case "--force": force = true
            case "--ignore-case": ignoresCase = true
            case "--no-passthrough": withoutPassthrough = true
            case "--verify-on-open": verifiesOnOpen = true
            case "--materialize", "--all": values[word] = word
            default:
                guard Self.known.contains(word) else { throw .unknown(word) }
                guard index + 1 < words.count else { throw .missing(word) }
                index += 1
                values[word] = words[index]
            }
            index += 1
        }
        root = try Self.value("--root", values)
        sandbox = try Self.value("--sandbox", values)
        if values["--materialize"] != nil {
            task = .materialize(all: values["--all"] != nil)
        } else {
            guard values["--all"] == nil else { throw .unknown("--all") }
            task = .mount(try Self.value("--mountpoint", values))
        }
        let hex = try Self.value("--chain", values)
        guard let digest = Digest(hex: hex.description) else { throw .wrong("--chain", hex) }
        chain = digest
        let users = try Self.map("--uidmap", values)
        let groups = try Self.map("--gidmap", values)
        if users != nil || groups != nil { identities = Identities(users: users, groups: groups) }
        if let mode = values["--data"] {
            guard let value = DataChoice(rawValue: mode.description) else { throw .wrong("--data", mode) }
            data = value
        }
        if let number = values["--ready-fd"] {
            guard let value = Int32(number.description), value > 2 else { throw .wrong("--ready-fd", number) }
            readyDescriptor = value
        }
    }

    private static let known: Set<ByteString> = [
        "--root", "--chain", "--sandbox", "--mountpoint", "--uidmap", "--gidmap", "--data",
        "--ready-fd",
    ]

    private static func map(
        _ name: ByteString, _ values: [ByteString: ByteString]
    ) throws(ArgumentError) -> IdentityMap? {
        guard let text = values[name] else { return nil }
        guard let map = IdentityMap(text.description) else { throw .wrong(name, text) }
        return map
    }

    private static func value(
        _ name: ByteString, _ values: [ByteString: ByteString]
    ) throws(ArgumentError) -> ByteString {
        guard let value = values[name], !value.isEmpty else { throw .missing(name) }
        return value
    }
}

enum ArgumentError: Error, CustomStringConvertible {
    case unknown(ByteString)
    case missing(ByteString)
    case wrong(ByteString, ByteString)

    var description: String {
        switch self {
        case .unknown(let word): "\(word): unknown option"
        case .missing(let option): "\(option): value missing"
        case .wrong(let option, let value): "\(option): \(value) is not a valid value"
        }
    }
}

extension Arguments {
    /// The kernel may be handed files by root alone; a plain user's mount lives on its page cache, unless others
    /// change files that it shows.
    func mode(hasRedirects: Bool) -> DataMode {
        switch data {
        case .automatic where hasRedirects && geteuid() != 0: .asked
        case .cached: .cached
        case .passthrough: withoutPassthrough ? .asked : .passthrough
        case .automatic: geteuid() != 0 ? .cached : withoutPassthrough ? .asked : .passthrough
        }
    }
}
