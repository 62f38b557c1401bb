// Ending what runs in a sandbox.

import Glibc
import LaminaCore
import LaminaSystem

extension Engine {
    /// Sends SIGTERM to the program that runs in a sandbox, and SIGKILL when it is there after so many seconds; returns
    /// when the sandbox is unmounted, and removed where `run` was told so. Where nothing runs it does nothing.
    ///
    /// Throws `busy` when nothing of this ends it.
    public func stop(_ name: String, seconds: Int = 10) throws(LaminaError) {
        let sandbox = try sandbox(name)
        guard let record = ContainerRecord.locked(in: sandbox.directory) else {
            return try endOrphan(of: sandbox)
        }
        let program = try Self.system(sandbox.directory) { () throws(Errno) in
            try ContainerRecord.runtime(in: record)
        }
        // A commit that was killed may have left it frozen.
        _ = ContainerRuntime.ask(program, of: sandbox, ["resume", ByteString(sandbox.id)])
        for (signal, seconds) in [("TERM", max(seconds, 0)), ("KILL", 60)] as [(ByteString, Int)] {
            var isSent = false
            for round in 0..<max(seconds.multipliedReportingOverflow(by: 100).partialValue, 1) {
                // One that is being started cannot be told yet.
                if !isSent && round % 10 == 0 {
                    isSent =
                        ContainerRuntime.ask(program, of: sandbox, ["kill", ByteString(sandbox.id), signal])
                        == 0
                }
                if (try? record.lock(exclusive: false, wait: false)) != nil { return }
                usleep(10_000)
            }
        }
        throw LaminaError(.busy, name, "does not end")
    }

    /// A container whose `lamina run` was killed runs on, with nobody to wait for it.
    private func endOrphan(of sandbox: Sandbox) throws(LaminaError) {
        let record = sandbox.directory.appending(ContainerRecord.name)
        guard (try? FileStatus.of(ContainerRuntime.state(in: sandbox.directory))) != nil,
            let file = try? Descriptor.open(record, O_RDONLY | O_NOFOLLOW),
            let program = try? ContainerRecord.runtime(in: file), !program.isEmpty
        else { return }
        _ = ContainerRuntime.ask(program, of: sandbox, ["delete", "--force", ByteString(sandbox.id)])
        ContainerRuntime.clear(sandbox.directory)
        try unmountAfterRun(sandbox.id)
    }
}
