// OwnNames is one thread's share of the directory: names that nobody else touches, so that
// every answer is known in advance.

import LaminaCore
import LaminaSystem
import TreeModel

/// The names of one thread and what they lead to.
struct OwnNames {
    let prefix: ByteString
    private let directory: any SharedDirectory
    private var random: SeededRandom
    /// File numbers by name; two names of one file have one number.
    private var files: [ByteString: Int] = [:]
    private var inodes: [Int: UInt64] = [:]
    private var last: Int

    init(_ thread: Int, _ directory: any SharedDirectory) {
        prefix = ByteString("own-\(thread)-")
        self.directory = directory
        random = SeededRandom(seed: UInt64(thread))
        let lower = Hammer.lowerNames(of: thread)
        for (number, name) in lower.enumerated() { files[name] = number }
        last = lower.count
    }

    /// Links by name.
    var links: [ByteString: Int] {
        files.mapValues { number in files.values.filter { $0 == number }.count }
    }

    /// Does one step; returns what was wrong with its answer.
    mutating func step() -> String? {
        let name = prefix + ByteString("\(random.below(6))")
        let other = prefix + ByteString("\(random.below(6))")
        do throws(Errno) {
            switch random.below(6) {
            case 0: try create(name)
            case 1: try remove(name)
            case 2: try rename(name, other)
            case 3: try link(name, other)
            case 4: return try status(name)
            default: try directory.setPermissions(name, 0o600)
            }
            return files[name] == nil && files[other] == nil
                ? nil : try status(files[name] == nil ? other : name)
        } catch {
            return check(error, name, other)
        }
    }

    private mutating func create(_ name: ByteString) throws(Errno) {
        try directory.create(name)
        files[name] = last
        last += 1
    }

    private mutating func remove(_ name: ByteString) throws(Errno) {
        try directory.remove(name)
        files[name] = nil
    }

    private mutating func rename(_ name: ByteString, _ other: ByteString) throws(Errno) {
        try directory.rename(name, to: other, flags: 0)
        // Renaming one name of a file to another does nothing.
        guard let number = files[name], files[other] != number else { return }
        files[other] = number
        files[name] = nil
    }

    private mutating func link(_ name: ByteString, _ other: ByteString) throws(Errno) {
        try directory.link(name, to: other)
        files[other] = files[name]
    }

    private mutating func status(_ name: ByteString) throws(Errno) -> String? {
        let status = try directory.status(name)
        guard let number = files[name] else { return "\(name) should not be there" }
        guard status.linkCount == links[name] ?? 0 else {
            return "\(name): \(status.linkCount) links, expected \(links[name] ?? 0)"
        }
        let known = inodes.updateValue(status.inode, forKey: number)
        return known == nil || known == status.inode ? nil : "\(name): another inode"
    }

    /// Whether an error is what these names must give.
    private func check(_ error: Errno, _ name: ByteString, _ other: ByteString) -> String? {
        if error == .noSuchFileOrDirectory, files[name] == nil { return nil }
        if error == .fileExists, files[name] != nil || files[other] != nil { return nil }
        return "\(name), \(other): \(error)"
    }
}
