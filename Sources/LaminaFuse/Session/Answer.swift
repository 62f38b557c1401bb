// The one path from a request to its reply: find the server, run the operation, answer
// with its result or its error.

import CFuse3
import Glibc
import LaminaCore
import LaminaUnion

/// Runs `operation` and sends what it returns, or the error it throws. No lock, allocation
/// or retain of its own.
@unsafe
@inline(__always)
func answer<Value>(
    _ request: fuse_req_t?,
    with send: (consuming Reply, Value) -> Void,
    _ operation: (Server) throws(Errno) -> Value
) {
    guard let request = unsafe request else { return }
    let reply = unsafe Reply(request)
    guard let pointer = unsafe fuse_req_userdata(request) else { return reply.fail(.ioError) }
    // SAFETY: the session keeps the server alive until its loop has ended.
    let outcome = unsafe Unmanaged<Server>.fromOpaque(pointer)._withUnsafeGuaranteedRef { server in
        do throws(Errno) {
            return Result<Value, Errno>.success(try operation(server))
        } catch {
            return .failure(error)
        }
    }
    switch outcome {
    case .success(let value): send(reply, value)
    case .failure(let error): reply.fail(error)
    }
}

/// A copy of a C string.
@unsafe
func byteString(_ name: UnsafePointer<CChar>?) throws(Errno) -> ByteString {
    guard let name = unsafe name else { throw .invalidArgument }
    // SAFETY: libfuse checked that the request's strings end in NUL.
    return unsafe ByteString(cString: name)
}
