// PublishedLayers owns the list of what a load put into the store so far, for the day it fails.

import LaminaCore
import LaminaStore
import Synchronization

/// The layers that a running load published; its threads add to it.
final class PublishedLayers: Sendable {
    struct Layer: Sendable {
        var summary: LayerSummary
        /// Whether the catalogue had no such layer when the load began.
        var isNew: Bool
    }

    private let layers = Mutex<[Layer]>([])

    var all: [Layer] { layers.withLock { $0 } }

    func note(_ layer: Layer) {
        layers.withLock { $0.append(layer) }
    }
}
