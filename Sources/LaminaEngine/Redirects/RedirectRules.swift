// RedirectRules owns what holds for redirects however they were written: moby's `validateMountConfig`,
// with its words.

import LaminaCore

enum RedirectRules {
    /// The redirect with its target and a bind's source made clean; throws what is wrong with it. The
    /// name of a volume is `checkName`'s: Docker looks at it later, and says so without the type.
    static func checked(_ redirect: Redirect) throws(Refusal) -> Redirect {
        var result = redirect
        do throws(Refusal) {
            try checkTarget(redirect.target)
            switch redirect.kind {
            case .bind: try checkSource(redirect.source)
            case .volume: try checkVolume(redirect)
            case .tmpfs: if !redirect.source.isEmpty { throw Refusal("field Source must not be specified") }
            case .image:
                if redirect.source.isEmpty { throw Refusal("field Source must not be empty") }
                try checkSubpath(redirect.subpath)
                result.readOnly = true
            }
        } catch {
            throw Refusal("invalid mount config for type \"\(redirect.kind.rawValue)\": \(error.reason)")
        }
        result.target = LexicalPath.clean(redirect.target)
        if redirect.kind == .bind { result.source = LexicalPath.clean(redirect.source) }
        return result
    }

    static func checkName(_ redirect: Redirect) throws(Refusal) {
        if redirect.kind == .volume && !redirect.source.isEmpty { try VolumeName.check(redirect.source) }
    }

    /// `checkTarget` with the type in front, for a type that there is not.
    static func checkTarget(_ target: ByteString, type: ByteString) throws(Refusal) {
        do throws(Refusal) {
            try checkTarget(target)
        } catch {
            throw Refusal("invalid mount config for type \"\(type)\": \(error.reason)")
        }
    }

    private static func checkTarget(_ target: ByteString) throws(Refusal) {
        if target.isEmpty { throw Refusal("field Target must not be empty") }
        let clean = LexicalPath.clean(target)
        if clean == "/" { throw Refusal("invalid specification: destination can't be '/'") }
        try checkAbsolute(target)
        try checkLength(clean)
    }

    private static func checkSource(_ source: ByteString) throws(Refusal) {
        if source.isEmpty { throw Refusal("field Source must not be empty") }
        try checkAbsolute(source)
        try checkLength(source)
    }

    private static func checkAbsolute(_ path: ByteString) throws(Refusal) {
        guard path.hasPrefix("/") else {
            throw Refusal("invalid mount path: '\(path)' mount path must be absolute")
        }
    }

    private static func checkLength(_ path: ByteString) throws(Refusal) {
        if path.count > Limits.pathLength || path.components.contains(where: { $0.count > Limits.nameLength })
        {
            throw Refusal("path is too long")
        }
    }

    private static func checkVolume(_ redirect: Redirect) throws(Refusal) {
        if redirect.subpath != nil && redirect.source.isEmpty {
            throw Refusal("must not set Subpath when using anonymous volumes")
        }
        try checkSubpath(redirect.subpath)
    }

    private static func checkSubpath(_ subpath: ByteString?) throws(Refusal) {
        guard let subpath else { return }
        guard LexicalPath.isLocal(subpath) else {
            throw Refusal("subpath must be a relative path within the volume")
        }
        try checkLength(subpath)
    }

    static func propagation(_ option: String) -> Refusal {
        .unsupported(option, "mounts do not propagate through a redirect")
    }

    static func delegated(_ option: String) -> Refusal {
        .unsupported(option, "writes are never held back; use cached or consistent")
    }
}
