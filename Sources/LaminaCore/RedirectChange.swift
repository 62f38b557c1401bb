// RedirectChange owns what is said to the server of a mounted sandbox about its redirects: one message for a change,
// and one for its outcome, over the socket `control` in the sandbox's directory (docs/FORMAT-sandbox.md).

/// A change of a mounted sandbox's redirects.
public enum RedirectChange: Sendable, Hashable {
    case add(PlacedRedirect)
    /// Takes away what has this target. `lazy`: although it is in use.
    case remove(target: ByteString, lazy: Bool)

    /// The socket's name in the sandbox's directory.
    public static let socket: ByteString = "control"
    /// Bytes of the longest message.
    public static let longest = 32_768

    private enum Verb {
        static let add: UInt8 = 1
        static let remove: UInt8 = 2
        static let removeLazily: UInt8 = 3
    }

    public var encoded: [UInt8] {
        switch self {
        case .add(let placed): [Verb.add] + RedirectList.encode([placed])
        case .remove(let target, let lazy):
            [lazy ? Verb.removeLazily : Verb.remove]
                + RedirectList.encode([PlacedRedirect(Redirect(.tmpfs, target: target), place: ByteString())])
        }
    }

    /// - Throws: for bytes that `encoded` did not make.
    public init(_ message: [UInt8]) throws(RedirectListError) {
        let list = try RedirectList.decode(Array(message.dropFirst()))
        guard let verb = message.first, let item = list.first, list.count == 1 else {
            throw .damaged("no change of one redirect")
        }
        switch verb {
        case Verb.add: self = .add(item)
        case Verb.remove: self = .remove(target: item.redirect.target, lazy: false)
        case Verb.removeLazily: self = .remove(target: item.redirect.target, lazy: true)
        default: throw .damaged("a change of kind \(verb)")
        }
    }

    /// What became of a change.
    public enum Outcome: Sendable, Hashable {
        case done
        /// None has this target.
        case absent
        /// It is in use, for this reason.
        case busy(String)
        case failed(String)

        public var encoded: [UInt8] {
            switch self {
            case .done: Array("done".utf8)
            case .absent: Array("absent".utf8)
            case .busy(let reason): Array("busy \(reason)".utf8.prefix(4_096))
            case .failed(let reason): Array("failed \(reason)".utf8.prefix(4_096))
            }
        }

        /// Nil for a message that says only that the server is at work.
        public init?(_ message: [UInt8]) {
            let text = String(decoding: message, as: UTF8.self)
            if text == "done" {
                self = .done
            } else if text == "absent" {
                self = .absent
            } else if text.hasPrefix("busy ") {
                self = .busy(String(text.dropFirst(5)))
            } else if text.hasPrefix("failed ") {
                self = .failed(String(text.dropFirst(7)))
            } else {
                return nil
            }
        }
    }
}
