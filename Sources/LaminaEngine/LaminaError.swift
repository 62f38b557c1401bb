// LaminaError is the error of the public library: what it was about, why it failed, and
// the code by which programs and scripts tell the kinds apart.

import LaminaCatalog
import LaminaCore

/// A failure of a Lamina operation: one line for people, a code for programs.
public struct LaminaError: Error, Sendable {
    /// The kinds of failure. The raw value is the exit code of the `lamina` command.
    public enum Code: Int32, Sendable, CaseIterable {
        /// Anything the other codes do not say.
        case failure = 1
        /// The input breaks its format, or its bytes do not match their digest.
        case badInput = 2
        /// No image, sandbox, file or directory of this name.
        case notFound = 3
        /// In use, mounted, or locked by another process.
        case busy = 4
        /// The filesystem is full, or a quota is used up.
        case noSpace = 5
        /// The command line is wrong (`EX_USAGE` of `sysexits.h`).
        case usage = 64
        /// What `lamina run` should run is there and cannot be invoked; as shells say it.
        case programUnusable = 126
        /// There is nothing of that name to run; as shells say it.
        case programNotFound = 127
        /// Stopped on request. The command ends with 128 + the signal's number.
        case interrupted = 130

        /// One line for the help text.
        public var meaning: String {
            switch self {
            case .failure: "any other failure"
            case .badInput: "the input is damaged, not supported or does not match its digest"
            case .notFound: "no such image, sandbox, file or directory"
            case .busy: "in use, already mounted, or locked by another process"
            case .noSpace: "no space left"
            case .usage: "wrong command line"
            case .programUnusable: "run: the program cannot be invoked"
            case .programNotFound: "run: the program is not in the sandbox"
            case .interrupted: "stopped by SIGINT (143: by SIGTERM, 129: by SIGHUP)"
            }
        }
    }

    public var code: Code
    /// `<thing>: <reason>`, one line.
    public var message: String
    /// The error below this one, if there is one.
    public var cause: (any Error)?

    /// An error about `thing`: a path, digest, reference or id.
    public init(_ code: Code, _ thing: String, _ reason: String, cause: (any Error)? = nil) {
        self.init(code: code, message: "\(thing): \(reason)", cause: cause)
    }

    private init(code: Code, message: String, cause: (any Error)?) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension LaminaError: CustomStringConvertible {
    public var description: String { message }
}

extension LaminaError {
    /// What a failed system call on `thing` means.
    init(_ thing: String, _ error: Errno) {
        self.init(Code(error), thing, "\(error)", cause: error)
    }

    init(_ thing: ByteString, _ error: Errno) {
        self.init(thing.description, error)
    }

    /// What an error of the catalogue means.
    init(_ error: CatalogError) {
        let code: Code =
            switch error {
            case .noSpace: .noSpace
            case .busy, .nameTaken, .imageInUse, .volumeInUse: .busy
            case .newerSchema, .damaged: .badInput
            case .imageGone, .noVolume, .noSandbox: .notFound
            case .volumeDirectory(_, .noSpace): .noSpace
            case .volumeDirectory: .failure
            case .system(let error): Code(error)
            case .database: .failure
            }
        self.init(code: code, message: "\(error)", cause: error)
    }
}

extension LaminaError.Code {
    init(_ error: Errno) {
        switch error {
        case .noSpace, .diskQuotaExceeded: self = .noSpace
        case .noSuchFileOrDirectory: self = .notFound
        case .resourceBusy, .wouldBlock: self = .busy
        default: self = .failure
        }
    }
}
