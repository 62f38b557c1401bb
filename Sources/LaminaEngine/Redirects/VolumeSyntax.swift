// VolumeSyntax owns the value of `-v`: `[SRC:]DST[:OPTIONS]`. docs/REDIRECTS.md is its table.

import LaminaCore

enum VolumeSyntax {
    private static let propagations: Set<ByteString> = [
        "private", "rprivate", "slave", "rslave", "shared", "rshared",
    ]

    /// What may stand behind the second colon, each kind at most once.
    private struct Mode {
        var isReadOnly = false
        var noCopy = false
        var consistency = Redirect.Consistency.cached
    }

    static func parse(_ text: ByteString, _ directory: ByteString) throws(Refusal) -> RedirectRequest {
        let sections = try sections(text)
        guard sections.count > 1 else {
            return try request(Redirect(.volume, target: sections[0]), of: text, yields: true)
        }
        // A destination with a mode is no volume: a volume has no mode of its own.
        if sections.count == 2 && isMode(sections[1]) {
            throw Refusal("invalid volume specification: '\(text)'")
        }
        let mode = try sections.count == 3 ? mode(sections[2]) : Mode()
        let source = LexicalPath.source(sections[0], below: directory)
        let isBind = source.hasPrefix("/")
        var redirect = Redirect(isBind ? .bind : .volume, source: source, target: sections[1])
        redirect.readOnly = mode.isReadOnly
        redirect.consistency = mode.consistency
        redirect.noCopy = mode.noCopy
        redirect.createsSource = isBind
        if isBind && mode.noCopy {
            throw Refusal(
                "invalid volume specification: '\(text)': invalid mount config for type \"bind\": "
                    + "field VolumeOptions must not be specified")
        }
        return try request(redirect, of: text)
    }

    /// One to three parts between colons, none of them empty.
    private static func sections(_ text: ByteString) throws(Refusal) -> [ByteString] {
        if text.isEmpty { throw Refusal("invalid empty volume spec") }
        let sections = text.parts(separatedBy: UInt8(ascii: ":"))
        for (index, section) in sections.enumerated() {
            if section.isEmpty { throw Refusal("invalid spec: \(text): empty section between colons") }
            if index == 2 && sections.count > 3 { throw Refusal("invalid spec: \(text): too many colons") }
        }
        return sections
    }

    private static func request(
        _ redirect: Redirect, of text: ByteString, yields: Bool = false
    ) throws(Refusal) -> RedirectRequest {
        var request: RedirectRequest
        do throws(Refusal) {
            request = RedirectRequest(try RedirectRules.checked(redirect))
        } catch {
            throw Refusal("invalid volume specification: '\(text)': \(error.reason)")
        }
        try RedirectRules.checkName(redirect)
        request.yields = yields
        return request
    }

    /// Which kind of mode a word is; nil when it is none.
    private static func kind(_ word: ByteString) -> Int? {
        switch word {
        case "ro", "rw": 0
        case "z", "Z": 1
        case "nocopy": 2
        case "consistent", "cached", "delegated": 3
        default: propagations.contains(word) ? 4 : nil
        }
    }

    private static func isMode(_ text: ByteString) -> Bool {
        let kinds = text.parts(separatedBy: UInt8(ascii: ",")).map(kind)
        return !kinds.contains(nil) && Set(kinds).count == kinds.count
    }

    private static func mode(_ text: ByteString) throws(Refusal) -> Mode {
        guard isMode(text) else { throw Refusal("invalid mode: \(text)") }
        var mode = Mode()
        for word in text.parts(separatedBy: UInt8(ascii: ",")) {
            switch word {
            case "ro": mode.isReadOnly = true
            case "rw": mode.isReadOnly = false
            case "nocopy": mode.noCopy = true
            case "consistent": mode.consistency = .consistent
            case "cached": mode.consistency = .cached
            case "delegated": throw RedirectRules.delegated("delegated")
            case "z", "Z": throw .unsupported("\(word)", "SELinux labels are not set")
            default: throw RedirectRules.propagation("\(word)")
            }
        }
        return mode
    }
}
