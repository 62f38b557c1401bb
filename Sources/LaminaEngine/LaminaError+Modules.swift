// How errors of the modules below become errors of the library: each kind by one
// initialiser, and whole calls by `Engine.storing` and its like.

import LaminaCatalog
import LaminaCodec
import LaminaCore
import LaminaIndex
import LaminaStore

extension LaminaError {
    /// What an error of the store means, about `thing`.
    init(_ error: StoreError, about thing: String) {
        let code: Code =
            switch error {
            case .system(_, let error): Code(error)
            case .layer(let error): Code(error)
            case .digestMismatch, .sizeMismatch: .badInput
            case .missing, .badSplits, .unusableRoot: .failure
            }
        self.init(code, thing, "\(error)", cause: error)
    }

    /// What an error of a codec means, about `thing`.
    init(_ error: CodecError, about thing: String) {
        self.init(Code(error), thing, "\(error)", cause: error)
    }

    /// What an error of an index means, about `thing`.
    init(_ error: IndexError, about thing: String) {
        let code: Code =
            switch error {
            case .system(let error): Code(error)
            case .layerCount, .missingLinkTarget, .tooLarge: .badInput
            default: .failure
            }
        self.init(code, thing, "\(error)", cause: error)
    }
}

extension Engine {
    /// Runs a catalogue call with its error as the library's.
    func catalogue<Value>(
        _ call: (Catalog) throws(CatalogError) -> Value
    ) throws(LaminaError) -> Value {
        do throws(CatalogError) { return try call(catalog) } catch { throw LaminaError(error) }
    }

    /// Runs system calls about `thing` with their error as the library's.
    static func system<Value: ~Copyable>(
        _ thing: ByteString, _ call: () throws(Errno) -> Value
    ) throws(LaminaError) -> Value {
        do throws(Errno) { return try call() } catch { throw LaminaError(thing, error) }
    }

    /// Runs calls of the store about `thing` with their error as the library's.
    static func storing<Value: ~Copyable>(
        _ thing: String, _ call: () throws(StoreError) -> Value
    ) throws(LaminaError) -> Value {
        do throws(StoreError) { return try call() } catch { throw LaminaError(error, about: thing) }
    }

    /// Runs calls of an index about `thing` with their error as the library's.
    static func indexing<Value: ~Copyable>(
        _ thing: String, _ call: () throws(IndexError) -> Value
    ) throws(LaminaError) -> Value {
        do throws(IndexError) { return try call() } catch { throw LaminaError(error, about: thing) }
    }
}

extension LaminaError.Code {
    init(_ error: CodecError) {
        switch error {
        case .read(let error), .write(let error): self.init(error)
        case .outOfMemory, .encoding: self = .failure
        case .cancelled: self = .interrupted
        default: self = .badInput
        }
    }
}
