// CommandLineTool owns the edge of the process: arguments in, exit code and at most one
// line of error out. Results go to stdout, everything else to stderr.

import ArgumentParser
import Foundation
import Glibc
import LaminaCore
import LaminaEngine
import LaminaSystem

/// The `lamina` command.
public enum CommandLineTool {
    /// Runs the command line of this process and ends it.
    public static func main() -> Never {
        // A reader that went away is an error of write(2), not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        if let text = ProcessInfo.processInfo.environment["LAMINA_FAULT"], !FaultInjection.arm(text: text) {
            fail(LaminaError(.usage, "LAMINA_FAULT", "is not KIND:COUNT:ACTION"))
        }
        do {
            var command = try LaminaCommand.parseAsRoot()
            try command.run()
        } catch let error as LaminaError {
            fail(error)
        } catch {
            leave(with: error)
        }
        exit(0)
    }

    /// Prints one line about `error` and ends the process with its code.
    private static func fail(_ error: LaminaError) -> Never {
        Terminal.error(error.message)
        exit(error.code.rawValue)
    }

    /// Help and version go to stdout with code 0; a wrong command line is one line and 64.
    private static func leave(with error: any Error) -> Never {
        let code = LaminaCommand.exitCode(for: error)
        if code == .success { LaminaCommand.exit(withError: error) }
        if let exit = error as? ExitCode { Glibc.exit(exit.rawValue) }
        let message = LaminaCommand.message(for: error).split(separator: "\n").first.map(String.init) ?? "\(error)"
        Terminal.error("\(message) (see lamina --help)")
        exit(LaminaError.Code.usage.rawValue)
    }
}
