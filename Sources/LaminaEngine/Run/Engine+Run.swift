// Running a program in a mounted sandbox, through a runtime of the system's, until it ends.

import Glibc
import LaminaCore
import LaminaSystem

extension Engine {
    /// Starts a container on a mounted sandbox with the caller's standard streams, and waits for its end;
    /// returns its exit code. SIGTERM, SIGINT and SIGHUP go to the program.
    ///
    /// Throws `notFound` when there is no runtime.
    public func run(
        _ name: String, runtime: ContainerRuntime? = nil, _ options: RunOptions = RunOptions()
    ) throws(LaminaError) -> Int32 {
        let program = try Self.locate(runtime)
        let sandbox = try sandbox(name)
        let directory = sandbox.directory.appending("bundle")
        try bundle(name, in: directory, options)
        let state = sandbox.directory.appending("runtime")
        var command = Spawn(
            program, ["--root", state, "run", "--bundle", directory, ByteString(sandbox.id)])
        command.descriptors = [(0, 0), (1, 1), (2, 2)]
        let code = try Self.system(program) { () throws(Errno) in
            let forwarder = SignalForwarder()
            let process = try command.start()
            forwarder.start(to: process)
            return try Spawn.wait(for: process)
        }
        for leftover in [directory, state] { try? Descriptor.workingDirectory().removeTree(leftover) }
        return code
    }

    /// The runtime's file; without a wish the first that is there.
    private static func locate(_ runtime: ContainerRuntime?) throws(LaminaError) -> ByteString {
        let wanted = runtime.map { [$0] } ?? ContainerRuntime.allCases
        for name in wanted {
            if let program = Spawn.locate(ByteString(name.rawValue)) { return program }
        }
        throw LaminaError(
            .notFound, wanted.map(\.rawValue).joined(separator: ", "), "not found; a container needs it")
    }
}
