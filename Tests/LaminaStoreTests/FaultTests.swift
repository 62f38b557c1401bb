import LaminaCodec
import LaminaCore
import LaminaStore
import LaminaSystem
import LaminaTestSupport
import Testing

private let sampleBlob = compress(sampleTar(), .zstd)

/// The process-wide switch of FaultInjection is theirs alone: they run one after another,
/// and no other suite of this target runs beside them (see `StoreTests`).
extension StoreTests {
    @Suite struct FaultTests {
        /// Loads the sample layer; the error it met.
        private func load(_ store: Store) -> StoreError? {
            do throws(StoreError) {
                var sink = RecordingSink()
                try store.ingestLayer(from: MemorySource(sampleBlob), into: &sink).publish()
                return nil
            } catch {
                return error
            }
        }

        @Test func aFullDiskLeavesNoTrace() throws {
            for point in [FaultPoint.write, .create] {
                try failEach(point, .noSpace) { (store, error) throws in
                    #expect(error == .layer(.write(.noSpace)) || isSystem(error, .noSpace), "\(error)")
                    let left = try content(of: store)
                    #expect(left == [], "\(error)")
                }
            }
        }

        @Test func everyFailureLeavesAStoreThatLoads() throws {
            for point in FaultPoint.allCases where point != .commit {
                try failEach(point, .ioError) { (store, _) throws in
                    // What prune does: nothing is referenced, though the layer may be in place.
                    for leftover in try store.leftovers() { try store.remove(leftover) }
                    for kind in StoreContent.allCases {
                        for item in try store.inventory(kind) { try store.remove(kind, item.digest) }
                    }
                    let left = try StoreContent.allCases.flatMap { try store.inventory($0) }
                    let leftovers = try store.leftovers()
                    #expect(left.isEmpty && leftovers.isEmpty)
                    #expect(load(store) == nil)
                    try store.verifyLayer(sha256(sampleTar()))
                }
            }
        }

        private func isSystem(_ error: StoreError, _ reason: Errno) -> Bool {
            if case .system(_, reason) = error { return true }
            return false
        }

        /// Fails call 1, 2, 3… of a kind in a new store each, until a load meets no failure;
        /// failures that only hit the tidying up behind a whole load count as none.
        private func failEach(
            _ point: FaultPoint, _ reason: Errno, check: (Store, StoreError) throws -> Void
        ) throws {
            for count in UInt32(1)...200 {
                let failed = try withTemporaryPath { path in
                    let store = try Store(at: path)
                    let error = FaultGate.exclusive {
                        FaultInjection.arm(point, count: count, action: .fail(reason))
                        defer { FaultInjection.disarm() }
                        return load(store)
                    }
                    if let error { try check(store, error) }
                    return error != nil
                }
                if !failed {
                    #expect(count > 1 || point == .remove || point == .link, "no \(point) was met")
                    return
                }
            }
            Issue.record("\(point) never stopped failing")
        }
    }
}
