// NamespaceHold owns what is said between a server and who lists its sandbox: over the socket `control`
// (docs/FORMAT-sandbox.md), with the names of the sandbox standing still between an answer and the next message.

/// A request that nothing in a mounted sandbox gets or loses a name for a short time.
public enum NamespaceHold {
    /// The message that asks for it.
    public static let request: [UInt8] = [4]
    /// The server's answer: from now on it holds.
    public static let held = Array("held".utf8)
    /// The message that ends it.
    public static let goOn: [UInt8] = [5]
    /// The server's last word: it held until `goOn` came. Who does not get it knows of no instant.
    public static let ended = Array("done".utf8)
    /// Milliseconds after which the server goes on by itself.
    public static let longest: Int32 = 2_000
}
