// SharedDescriptor owns a descriptor that several holders use; the last one closes it.

/// A descriptor with shared ownership.
public final class SharedDescriptor: Sendable {
    public let descriptor: Descriptor

    public init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}
