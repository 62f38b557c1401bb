// RedirectPlan is what a new sandbox's redirects come to: each target once, in the order in which they
// were given, with the volumes that are still to be made.

import LaminaCatalog
import LaminaCore

struct RedirectPlan: Sendable {
    /// Those of the caller, then anonymous volumes by target.
    var requests: [RedirectRequest]
    var redirects: [Redirect] = []
    /// Volumes that the catalogue does not have, each once.
    var volumes: [VolumeRecord] = []

    /// Puts the `VOLUME`s of an image behind what the caller asked for.
    ///
    /// Throws `usage` for two redirects at one target and for more, or deeper, than the limits.
    /// - Parameter known: targets of redirects that are there already.
    init(
        _ requests: [RedirectRequest], imageVolumes: [ByteString], besides known: [ByteString] = []
    ) throws(LaminaError) {
        var targets = Set(known)
        self.requests = requests.filter { !$0.yields }
        for request in self.requests where !targets.insert(request.redirect.target).inserted {
            throw LaminaError(.usage, "Duplicate mount point", "\(request.redirect.target)")
        }
        // As Docker: one that only names a target gives way to any other there.
        let anonymous = requests.filter(\.yields).map(\.redirect.target) + imageVolumes
        for target in Set(anonymous).subtracting(targets).sorted() {
            self.requests.append(RedirectRequest(Redirect(.volume, target: target)))
            targets.insert(target)
        }
        let count = known.count + self.requests.count
        guard count <= Limits.redirectsPerSandbox else {
            throw LaminaError(
                .usage, "redirects",
                "\(count) are more than a sandbox may have (\(Limits.redirectsPerSandbox))")
        }
        for target in targets where Self.depth(of: target, in: targets) > Limits.redirectDepth {
            throw LaminaError(
                .usage, "\(target)", "is beneath more than \(Limits.redirectDepth - 1) other redirects")
        }
    }

    /// The redirects on the way to a target, its own counted. O(length of the target).
    private static func depth(of target: ByteString, in targets: Set<ByteString>) -> Int {
        var prefix: ByteString = "/"
        return target.components.count { component in
            prefix = prefix.appending(component)
            return targets.contains(prefix)
        }
    }
}
