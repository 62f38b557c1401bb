// ContainerRuntime owns how runc and crun are spoken to (their command lines are one), and where they keep what.

import Glibc
import LaminaCore
import LaminaSystem

/// What starts containers from bundles, in the order in which they are looked for. crun refuses machines on which
/// cgroups of both versions have controllers, whatever its `--cgroup-manager` is.
public enum ContainerRuntime: String, Sendable, Hashable, CaseIterable, Codable {
    case runc
    case crun

    /// The runtime's file; without a wish the first that is there. Throws `notFound`.
    static func locate(_ runtime: ContainerRuntime?) throws(LaminaError) -> ByteString {
        let wanted = runtime.map { [$0] } ?? allCases
        for name in wanted {
            if let program = Spawn.locate(ByteString(name.rawValue)) { return program }
        }
        throw LaminaError(
            .notFound, wanted.map(\.rawValue).joined(separator: ", "), "not found; a container needs it")
    }

    static func bundle(in directory: ByteString) -> ByteString { directory.appending("bundle") }
    static func state(in directory: ByteString) -> ByteString { directory.appending("runtime") }
    /// Where a runtime writes the number of a container's first process, once there is one.
    static func processFile(in directory: ByteString) -> ByteString { bundle(in: directory).appending("pid") }

    /// Runs one of the runtime's verbs without a word; returns its exit code.
    static func ask(_ program: ByteString, of sandbox: Sandbox, _ words: [ByteString]) -> Int32 {
        guard let null = try? Descriptor.open("/dev/null", O_RDWR) else { return -1 }
        var command = Spawn(program, ["--root", state(in: sandbox.directory)] + words)
        command.descriptors = [(0, null.rawValue), (1, null.rawValue), (2, null.rawValue)]
        return (try? command.run()) ?? -1
    }

    /// Removes what a container's runtime left.
    static func clear(_ directory: ByteString) {
        for leftover in [bundle(in: directory), state(in: directory)] {
            try? Descriptor.workingDirectory().removeTree(leftover)
        }
    }
}
