// MountValue owns the values of single options of `--mount`, each refused with Docker's words.

import LaminaCore

enum MountValue {
    /// True for an option without a value.
    static func bool(_ name: ByteString, _ value: ByteString?) throws(Refusal) -> Bool {
        switch value {
        case nil, "1", "true": return true
        case "0", "false": return false
        case .some(let value):
            throw Refusal(
                "invalid value for '\(name)': invalid boolean value (\"\(value)\"): "
                    + "must be one of \"true\", \"1\", \"false\", or \"0\" (default \"true\")")
        }
    }

    /// Docker takes any word here and, on Linux, none of them does anything.
    static func consistency(_ value: ByteString) throws(Refusal) -> Redirect.Consistency {
        switch value {
        case "default", "cached": return .cached
        case "consistent": return .consistent
        case "delegated": throw RedirectRules.delegated("consistency=delegated")
        default:
            throw Refusal(
                "invalid value for consistency: \(value) (must be \"default\", \"cached\", or \"consistent\")"
            )
        }
    }

    /// What is mounted beneath a source is not shown, which only `disabled` asks for.
    static func checkRecursive(_ value: ByteString) throws(Refusal) {
        guard ["enabled", "disabled", "writable", "readonly"].contains(value) else {
            throw Refusal(
                "invalid value for bind-recursive: \(value) "
                    + "(must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")")
        }
        guard value == "disabled" else {
            throw .unsupported(
                "bind-recursive=\(value)", "a redirect is one tree: what is mounted beneath is not shown")
        }
    }

    /// `KEY[=VALUE]`. An empty key, which Docker ignores, is refused.
    static func add(
        _ text: ByteString, to pairs: inout [String: String], _ name: ByteString
    ) throws(Refusal) {
        let (key, value) = text.cut(at: UInt8(ascii: "="))
        if key.isEmpty { throw Refusal("invalid value for '\(name)': '\(text)' has no name") }
        pairs[key.text] = value?.text ?? ""
    }

    /// Bytes; nil for 0, with which Docker leaves the bound to the kernel.
    static func size(_ name: ByteString, _ value: ByteString) throws(Refusal) -> Int64? {
        guard let bytes = MemorySize.bytes(value.text) else {
            throw Refusal("invalid value for \(name): \(value)")
        }
        return bytes == 0 ? nil : bytes
    }

    /// Octal permissions; nil for 0, with which Docker leaves them to the kernel.
    static func permissions(_ name: ByteString, _ value: ByteString) throws(Refusal) -> UInt32? {
        guard value.bytes.allSatisfy({ (0x30...0x37).contains($0) }), let mode = UInt32(value.text, radix: 8),
            mode <= 0o7777
        else { throw Refusal("invalid value for \(name): \(value)") }
        return mode == 0 ? nil : mode
    }
}
