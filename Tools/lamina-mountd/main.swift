// lamina-mountd serves one mount: it opens the chain image, the layers' streams and the
// sandbox, mounts, and answers the kernel until the end. One process a mount, so that no
// crash touches another; no Foundation, SQLite or network in it.

import Glibc
import LaminaCore
import LaminaFuse

/// The words of the command line as the kernel gave them, which need not be UTF-8.
private func commandLine() -> [ByteString] {
    let words = unsafe UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    // SAFETY: argv holds argc C strings that live as long as the process.
    return unsafe words.dropFirst().compactMap { word in unsafe word.map { unsafe ByteString(cString: $0) } }
}

/// Tells whoever started us, on the ready descriptor, and people, on standard error.
private func fail(_ message: String, ready: Int32?) -> Never {
    let line = "error: \(message)\n"
    if let ready { write(line, to: ready) }
    write("lamina-mountd: \(message)\n", to: 2)
    exit(1)
}

private func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    _ = unsafe Glibc.write(descriptor, bytes, bytes.count)
}

do {
    let arguments: Arguments
    do {
        arguments = try Arguments(commandLine())
    } catch {
        write("lamina-mountd: \(error)\n\(Arguments.usage)\n", to: 2)
        exit(64)
    }
    do {
        try run(arguments)
    } catch {
        fail(error.description, ready: arguments.readyDescriptor)
    }
}
