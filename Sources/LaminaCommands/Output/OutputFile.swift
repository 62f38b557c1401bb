// OutputFile owns where a stream of bytes goes that a verb makes: a file, or stdout unless that is a terminal.

import Glibc
import LaminaCore
import LaminaEngine
import LaminaSystem

enum OutputFile {
    /// Gives `body` the file at `path`, or stdout for nil. A file of which not all could be written is removed:
    /// nobody may take half of it for the whole. A device stays.
    static func write(
        to path: String?, _ body: (consuming Descriptor) throws(LaminaError) -> Void
    ) throws(LaminaError) {
        guard let path else {
            if isatty(STDOUT_FILENO) == 1 {
                throw LaminaError(.usage, "stdout", "is a terminal: give --output FILE or a pipe")
            }
            return try body(
                open("stdout") { () throws(Errno) in try Descriptor.duplicate(of: STDOUT_FILENO) })
        }
        let name = ByteString(path)
        let file = try open(path) { () throws(Errno) in
            try Descriptor.open(name, O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o644)
        }
        let isFile = (try? file.status().type) == .regular
        do throws(LaminaError) {
            try body(file)
        } catch {
            if isFile { try? Descriptor.workingDirectory().removeFile(name) }
            throw error
        }
    }

    private static func open(
        _ name: String, _ call: () throws(Errno) -> Descriptor
    ) throws(LaminaError) -> Descriptor {
        do throws(Errno) { return try call() } catch {
            throw LaminaError(.failure, name, "\(error)", cause: error)
        }
    }
}
