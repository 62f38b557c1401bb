// RedirectRequest is what a caller asks for with `-v` or `--mount`, before anything of it was looked up.

import LaminaCore

/// A redirect for a sandbox that is to be made.
public struct RedirectRequest: Sendable, Hashable {
    /// What will be recorded. The source of an anonymous volume is empty, that of an image its name.
    public var redirect: Redirect
    /// Labels of a volume that is made for it.
    public var labels: [String: String] = [:]
    /// Options of a volume that is made for it, as of `lamina volume create -o`.
    public var volumeOptions: [String: String] = [:]
    /// Whether another redirect at the same target takes its place without an error, as with a
    /// `VOLUME` of the image: `-v PATH` alone means no more.
    public var yields = false

    public init(_ redirect: Redirect) {
        self.redirect = redirect
    }

    /// Parses the value of `-v`: `[SRC:]DST[:OPTIONS]`. docs/REDIRECTS.md has the rules.
    ///
    /// Follows docker/cli `internal/volumespec` and moby `daemon/volume/mounts/linux_parser.go`.
    /// - Parameter directory: where a source that starts with `.` starts; nil: the working directory.
    /// - Throws: `usage` with Docker's words, or naming the option that is not supported.
    public init(volume text: ByteString, in directory: ByteString? = nil) throws(LaminaError) {
        let directory = if let directory { directory } else { try Engine.absolute("") }
        do throws(Refusal) {
            self = try VolumeSyntax.parse(text, directory)
        } catch {
            throw LaminaError(.usage, "-v \(text)", error.reason)
        }
    }

    /// Parses the value of `--mount`: fields `KEY[=VALUE]` of one line of CSV. docs/REDIRECTS.md has
    /// the rules.
    ///
    /// Follows docker/cli `opts/mount.go` and moby `daemon/volume/mounts/linux_parser.go`.
    /// - Parameter directory: where a source that starts with `.` starts; nil: the working directory.
    /// - Throws: `usage` with Docker's words, or naming the option that is not supported.
    public init(mount text: ByteString, in directory: ByteString? = nil) throws(LaminaError) {
        let directory = if let directory { directory } else { try Engine.absolute("") }
        do throws(Refusal) {
            self = try MountSyntax.parse(text, directory)
        } catch {
            throw LaminaError(.usage, "--mount \(text)", error.reason)
        }
    }
}
