// The closed set of ways in which the catalogue fails, each with a one-line message.

import GRDB
import LaminaCore

/// What went wrong in the catalogue.
public enum CatalogError: Error, Hashable {
    /// The file was written by a newer Lamina, whose tables this one does not know.
    case newerSchema(path: String)
    /// The file is not a catalogue, or SQLite found it damaged.
    case damaged(reason: String)
    /// Another process held the write lock for longer than the busy timeout.
    case busy
    /// The filesystem of the store is full.
    case noSpace
    /// Another sandbox has this name.
    case nameTaken(String)
    /// The image is the base of these sandboxes.
    case imageInUse(sandboxes: [String])
    /// The image was removed while a sandbox was being made from it.
    case imageGone(Digest)
    /// The sandbox was removed meanwhile.
    case noSandbox(String)
    /// There is no volume of this name, or no longer.
    case noVolume(String)
    /// These sandboxes have redirects to the volume.
    case volumeInUse(String, sandboxes: [String])
    /// A volume's directory could not take its name or lose it.
    case volumeDirectory(String, Errno)
    /// A system call around the database failed.
    case system(Errno)
    /// Any other answer of SQLite.
    case database(code: Int32, reason: String)

    init(_ error: any Error) {
        switch error {
        case let error as CatalogError: self = error
        case let error as Errno: self = error == .noSpace ? .noSpace : .system(error)
        case let error as DatabaseError: self.init(error)
        case is RowDecodingError: self = .damaged(reason: "a value is not what its column holds")
        default: self = .database(code: -1, reason: "\(error)")
        }
    }

    private init(_ error: DatabaseError) {
        let reason = error.message ?? error.resultCode.description
        self =
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
            case .SQLITE_FULL: .noSpace
            case .SQLITE_NOTADB, .SQLITE_CORRUPT: .damaged(reason: reason)
            default: .database(code: error.extendedResultCode.rawValue, reason: reason)
            }
    }
}

extension CatalogError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .newerSchema(let path):
            "\(path): written by a newer version of lamina; update lamina to use this store"
        case .damaged(let reason): "catalogue is damaged: \(reason)"
        case .busy: "catalogue is busy: another process is writing to it"
        case .noSpace: "no space left on the store's filesystem"
        case .nameTaken(let name): "sandbox name \(name) is already in use"
        case .imageInUse(let sandboxes): "image is used by sandbox \(sandboxes.joined(separator: ", "))"
        case .imageGone(let id): "\(id): no such image"
        case .noSandbox(let id): "\(id): no such sandbox"
        case .noVolume(let name): "\(name): no such volume"
        case .volumeInUse(let name, let sandboxes):
            "\(name): volume is in use by sandbox \(sandboxes.joined(separator: ", "))"
        case .volumeDirectory(let name, .directoryNotEmpty):
            "\(name): volumes/\(name) in the store holds data that no catalogue knows; move it away first"
        case .volumeDirectory(let name, let error): "\(name): cannot move the volume's directory: \(error)"
        case .system(let error): "catalogue: \(error)"
        case .database(let code, let reason): "catalogue: \(reason) (SQLite \(code))"
        }
    }
}
