// Freezing what runs in a sandbox for a short time: its runtime's freezer does it.

import LaminaCore
import LaminaSystem

extension Engine {
    /// Runs `body` while nothing in a sandbox's container runs, if that is wanted and there is one. Who is killed
    /// meanwhile leaves it frozen; `stop` thaws it.
    func whilePaused<Value>(
        _ sandbox: Sandbox, called name: String, if isWanted: Bool, _ body: () throws(LaminaError) -> Value
    ) throws(LaminaError) -> Value {
        guard isWanted, let record = ContainerRecord.locked(in: sandbox.directory) else { return try body() }
        let program = try Self.system(sandbox.directory) { () throws(Errno) in
            try ContainerRecord.runtime(in: record)
        }
        let id = ByteString(sandbox.id)
        guard ContainerRuntime.ask(program, of: sandbox, ["pause", id]) == 0 else {
            throw LaminaError(.failure, name, "cannot be paused by \(program)")
        }
        defer { _ = ContainerRuntime.ask(program, of: sandbox, ["resume", id]) }
        return try body()
    }
}
