// Helpers of the index tests: scratch directories, and images built and opened again.

import Foundation
import LaminaCore
import LaminaSystem
import Testing

@testable import LaminaIndex

/// Runs `body` with a fresh directory that is removed afterwards.
func withScratch<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = "/tmp/lamina-index-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// Writes `table` to the file `path`.
func write(_ table: borrowing NodeTable, devices: [TreeDevice], to path: String) throws {
    let file = try Descriptor.open(ByteString(path), O_WRONLY | O_CREAT | O_TRUNC, permissions: 0o644)
    let size = try IndexWriter.write(table, devices: devices, to: file)
    #expect(try file.status().size == Int64(size))
}

func openTree(_ path: String) throws -> Tree {
    try Tree(try MappedFile(try Descriptor.open(ByteString(path), O_RDONLY)))
}
