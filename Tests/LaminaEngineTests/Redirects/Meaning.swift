import LaminaCore
import LaminaEngine

/// What a `-v` or `--mount` means, in one line, or the error it gives.
enum Meaning {
    static func ofVolume(_ text: String) -> String {
        describe { () throws(LaminaError) in
            try RedirectRequest(volume: ByteString(text), in: "/home/me")
        }
    }

    static func ofMount(_ text: String) -> String {
        describe { () throws(LaminaError) in
            try RedirectRequest(mount: ByteString(text), in: "/home/me")
        }
    }

    private static func describe(_ parse: () throws(LaminaError) -> RedirectRequest) -> String {
        do throws(LaminaError) {
            return describe(try parse())
        } catch {
            return error.code == .usage ? error.message : "code \(error.code)"
        }
    }

    /// Type, source (`*` for an anonymous volume, none for a tmpfs), target, then whatever is not the default.
    private static func describe(_ request: RedirectRequest) -> String {
        let redirect = request.redirect
        var words = [redirect.kind.rawValue]
        if redirect.kind != .tmpfs { words.append(redirect.source.isEmpty ? "*" : "\(redirect.source)") }
        words.append("\(redirect.target)")
        if let subpath = redirect.subpath { words.append("subpath=\(subpath)") }
        if redirect.readOnly { words.append("ro") }
        if redirect.consistency != .cached { words.append(redirect.consistency.rawValue) }
        if redirect.createsSource { words.append("create") }
        if redirect.noCopy { words.append("nocopy") }
        if let size = redirect.size { words.append("size=\(size)") }
        if let mode = redirect.permissions { words.append("mode=\(String(mode, radix: 8))") }
        words += request.labels.sorted { $0.key < $1.key }.map { "label:\($0.key)=\($0.value)" }
        if request.yields { words.append("yields") }
        return words.joined(separator: " ")
    }
}
