// MountSyntax owns the value of `--mount`: fields `KEY[=VALUE]`. docs/REDIRECTS.md is its table.

import LaminaCore

struct MountSyntax {
    /// Options that only one type has.
    private enum Family: String, CaseIterable {
        case bind, volume, image, tmpfs
    }

    /// As it was given: a type that there is not is refused last, as Docker does.
    private var type: ByteString = "volume"
    private var redirect = Redirect(.volume, target: ByteString())
    private var labels: [String: String] = [:]
    private var volumeOptions: [String: String] = [:]
    private var families: Set<Family> = []
    private var hasConsistency = false

    static func parse(_ text: ByteString, _ directory: ByteString) throws(Refusal) -> RedirectRequest {
        let text = text.trimmed
        if text.isEmpty { throw Refusal("value is empty") }
        var syntax = MountSyntax()
        for field in try CommaSeparated.fields(text) { try syntax.take(field, directory) }
        return try syntax.request()
    }

    /// One field as key and value. Keys count in either case.
    private mutating func take(_ field: ByteString, _ directory: ByteString) throws(Refusal) {
        let (key, value) = field.cut(at: UInt8(ascii: "="))
        if key.trimmed != key {
            throw Refusal("invalid option '\(key.trimmed)' in '\(field)': option should not have whitespace")
        }
        if let value {
            if value.trimmed.isEmpty { throw Refusal("invalid value for '\(key)': value is empty") }
            if value.trimmed != value {
                throw Refusal("invalid value for '\(key)' in '\(field)': value should not have whitespace")
            }
        }
        let name = key.lowercased
        switch name {
        case "readonly", "ro": redirect.readOnly = try MountValue.bool(name, value)
        case "volume-nocopy":
            families.insert(.volume)
            redirect.noCopy = try MountValue.bool(name, value)
        case "bind-create-src":
            families.insert(.bind)
            redirect.createsSource = try MountValue.bool(name, value)
        case "bind-nonrecursive":
            throw Refusal("bind-nonrecursive is deprecated, use bind-recursive=disabled instead")
        default:
            guard let value else { throw Refusal("invalid field '\(field)' must be a key=value pair") }
            if try takeCommon(name, value, directory) { return }
            guard try takeOwn(name, value) else { throw Refusal("unknown option '\(name)' in '\(field)'") }
        }
    }

    /// Options of all types; false for another one.
    private mutating func takeCommon(
        _ name: ByteString, _ value: ByteString, _ directory: ByteString
    ) throws(Refusal) -> Bool {
        switch name {
        case "type": type = value.lowercased
        case "source", "src": redirect.source = LexicalPath.source(value, below: directory)
        case "target", "dst", "destination": redirect.target = value
        case "consistency":
            hasConsistency = true
            redirect.consistency = try MountValue.consistency(value.lowercased)
        default: return false
        }
        return true
    }

    /// Options of one type; false for one that there is not.
    private mutating func takeOwn(_ name: ByteString, _ value: ByteString) throws(Refusal) -> Bool {
        guard let family = Family.allCases.first(where: { name.hasPrefix(ByteString("\($0.rawValue)-")) })
        else { return false }
        families.insert(family)
        switch name {
        case "bind-propagation": throw RedirectRules.propagation("bind-propagation")
        case "bind-recursive": try MountValue.checkRecursive(value)
        case "volume-subpath", "image-subpath": redirect.subpath = value
        case "volume-label": try MountValue.add(value, to: &labels, name)
        case "volume-driver": try VolumeOptions.checkDriver(value.text)
        case "volume-opt": try MountValue.add(value, to: &volumeOptions, name)
        case "tmpfs-size": redirect.size = try MountValue.size(name, value)
        case "tmpfs-mode": redirect.permissions = try MountValue.permissions(name, value)
        default: return false
        }
        return true
    }

    private func request() throws(Refusal) -> RedirectRequest {
        for family in Family.allCases where families.contains(family) && type != ByteString(family.rawValue) {
            throw Refusal("cannot mix '\(family.rawValue)-*' options with mount type '\(type)'")
        }
        guard let kind = Redirect.Kind(rawValue: type.text) else {
            try RedirectRules.checkTarget(redirect.target, type: type)
            throw Refusal("invalid mount config for type \"\(type)\": mount type unknown")
        }
        if hasConsistency && (kind == .tmpfs || kind == .image) {
            throw Refusal.unsupported("consistency", "nobody else changes a mount of type '\(type)'")
        }
        var redirect = redirect
        redirect.kind = kind
        var request = RedirectRequest(try RedirectRules.checked(redirect))
        try RedirectRules.checkName(redirect)
        _ = try VolumeOptions(volumeOptions)
        request.labels = labels
        request.volumeOptions = volumeOptions
        return request
    }
}
