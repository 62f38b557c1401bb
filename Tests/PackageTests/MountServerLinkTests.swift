// MountServerLinkTests holds that lamina-mountd, the process that serves a mount, contains no Foundation, no SQLite
// and no network library: neither as a shared library that it or its libraries load, nor linked into it.

import Foundation
import Testing

/// Whether the manifest has the program; from then on the tests fail where the program is missing.
private let isInPackage = (try? SourceTree.text(of: "Package.swift").contains("\"lamina-mountd\"")) ?? false

@Suite(.enabled(if: isInPackage, "Package.swift has no lamina-mountd"))
struct MountServerLinkTests {
    /// The program, built beside the running tests.
    private func program() throws -> URL {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(filePath: tests).deletingLastPathComponent().appending(path: "lamina-mountd")
        try #require(
            FileManager.default.isExecutableFile(atPath: program.path), "\(program.path) is not built")
        return program
    }

    /// The shared libraries of a program and of its libraries, as the dynamic linker finds them.
    private func libraries(of program: URL) throws -> [String] {
        let ldd = Process()
        ldd.executableURL = URL(filePath: "/usr/bin/ldd")
        ldd.arguments = [program.path]
        let output = Pipe()
        ldd.standardOutput = output
        try ldd.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        ldd.waitUntilExit()
        try #require(ldd.terminationStatus == 0)
        return text.split(separator: "\n").compactMap { line in
            line.split(whereSeparator: \.isWhitespace).first.map(String.init)
        }
    }

    @Test func loadsNoLibraryThatItShouldNot() throws {
        let loaded = try libraries(of: program())
        #expect(loaded.contains { $0.hasPrefix("libfuse3") || $0.hasPrefix("libc.") })
        let forbidden = [
            "libFoundation", "lib_FoundationICU", "libsqlite3", "libcurl", "libssl", "libxml2", "libnghttp2",
        ]
        for library in loaded {
            #expect(!forbidden.contains(where: library.hasPrefix), "lamina-mountd loads \(library)")
        }
    }

    /// Swift's mangled names hold the module's name behind its length, so that a module that is linked in shows.
    @Test func holdsNoModuleThatItShouldNot() throws {
        let bytes = try Data(contentsOf: program(), options: .alwaysMapped)
        // The check itself must see modules: this one is always there.
        #expect(bytes.range(of: Data("$s10LaminaCore".utf8)) != nil)
        let forbidden = [
            "$s10Foundation", "$s20FoundationEssentials", "$s4GRDB", "sqlite3_", "$s14ArgumentParser",
            "$s13LaminaCatalog", "$s12LaminaEngine", "$s7NIOCore", "getaddrinfo", "gethostbyname",
        ]
        for symbol in forbidden {
            #expect(bytes.range(of: Data(symbol.utf8)) == nil, "lamina-mountd holds \(symbol)")
        }
    }
}
