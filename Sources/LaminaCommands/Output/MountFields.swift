// The redirects of a sandbox as `lamina inspect` shows them: Docker's `Mounts`, and what Docker keeps
// elsewhere as `Options`.

import LaminaCore
import LaminaEngine

enum MountFields {
    static func all(_ redirect: Redirect, volumes: [String: Volume]) -> [String: Any] {
        var fields: [String: Any] = [
            "Type": redirect.kind.rawValue, "Source": "", "Destination": redirect.target.description,
            "Mode": redirect.readOnly ? "ro" : "", "RW": !redirect.readOnly, "Propagation": "",
            "Options": options(redirect),
        ]
        switch redirect.kind {
        case .bind: fields["Source"] = redirect.source.description
        case .volume:
            let name = redirect.source.description
            fields["Name"] = name
            fields["Driver"] = volumes[name]?.driver ?? ""
            fields["Source"] = volumes[name]?.directory.description ?? ""
        case .tmpfs: break
        case .image:
            fields["Name"] = redirect.imageName ?? ""
            fields["Source"] = redirect.source.description
        }
        return fields
    }

    /// Only what is not the default.
    private static func options(_ redirect: Redirect) -> [String: Any] {
        var options: [String: Any] = [:]
        if let subpath = redirect.subpath { options["Subpath"] = subpath.description }
        if redirect.consistency != .cached { options["Consistency"] = redirect.consistency.rawValue }
        if redirect.createsSource { options["CreateMountpoint"] = true }
        if redirect.allowsSpecial { options["AllowSpecial"] = true }
        if redirect.noCopy { options["NoCopy"] = true }
        if redirect.isAnonymous { options["Anonymous"] = true }
        if let size = redirect.size { options["SizeBytes"] = size }
        if let permissions = redirect.permissions { options["Mode"] = String(permissions, radix: 8) }
        return options
    }
}
