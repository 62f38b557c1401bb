// What a load may be told, beside its input.

import LaminaStore

/// Bounds of one layer; a layer beyond one of them is refused.
public typealias LoadLimits = IngestLimits

/// How a load is to be done.
public struct LoadOptions: Sendable {
    /// Whether compressed layers are kept as they came. Without them a layer's tar can still be
    /// given back, but not its blob.
    public var keepBlobs: Bool
    public var limits: LoadLimits
    /// Threads that decode one layer, where its format allows several; nil to go by the machine.
    public var decodingThreads: Int?
    /// Stops the load.
    public var cancellation: Cancellation

    public init(
        keepBlobs: Bool = true, limits: LoadLimits = LoadLimits(), cancellation: Cancellation = Cancellation()
    ) {
        self.keepBlobs = keepBlobs
        self.limits = limits
        self.cancellation = cancellation
    }
}
