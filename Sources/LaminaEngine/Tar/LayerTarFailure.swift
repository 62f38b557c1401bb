// LayerTarFailure carries the reason why a tar could not be made past the store, which knows numbers only.

import Synchronization

/// Why a `LayerTarSource` ended early.
final class LayerTarFailure: Sendable {
    private let error = Mutex<LaminaError?>(nil)

    func note(_ reason: LaminaError) { error.withLock { $0 = $0 ?? reason } }

    /// The reason; nil when the tar was whole.
    var reason: LaminaError? { error.withLock { $0 } }
}
