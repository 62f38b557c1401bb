// Making, finding and removing volumes. The row and the directory's name change together, under the
// catalogue's write lock.

import Foundation
import LaminaCatalog
import LaminaCore
import LaminaStore

extension Engine {
    /// Makes a volume; `name` is drawn at random when nil. One that is there already is returned as
    /// it is, as Docker does.
    ///
    /// Throws `badInput` for a name that is none, `usage` for a driver, label or option that is not
    /// supported, `busy` when the volume is there with other labels than those given.
    @discardableResult
    public func createVolume(
        _ name: String? = nil, driver: String = "local", labels: [String: String] = [:],
        options: [String: String] = [:]
    ) throws(LaminaError) -> Volume {
        if let name {
            do throws(Refusal) {
                try VolumeName.check(ByteString(name))
            } catch {
                throw LaminaError(.badInput, name, error.reason)
            }
        }
        do throws(Refusal) {
            try VolumeOptions.checkDriver(driver)
            _ = try VolumeOptions(options)
        } catch {
            throw LaminaError(.usage, name ?? "volume", error.reason)
        }
        let record = VolumeRecord(
            new: name, labels: labels, options: options, now: Int64(Date().timeIntervalSince1970))
        let lease = try lease()
        if try !add(record), !labels.isEmpty {
            let labels = try volume(record.name).labels
            if labels != record.labels {
                throw LaminaError(.busy, record.name, "exists with other labels")
            }
        }
        _ = consume lease
        return try volume(record.name)
    }

    /// Whether the volume is new.
    private func add(_ record: VolumeRecord) throws(LaminaError) -> Bool {
        let known = try catalogue { catalog throws(CatalogError) in try catalog.volume(record.name) }
        if known != nil { return false }
        let staged = try Self.storing(record.name) { () throws(StoreError) in
            try store.stageVolumes([record.name])
        }
        do throws(CatalogError) {
            return try catalog.add(record) { name throws(Errno) in try staged.place(name) }
        } catch {
            throw LaminaError(error)
        }
    }

    /// The volumes that `filter` lets through, by name. O(volumes).
    public func volumes(_ filter: VolumeFilter = VolumeFilter()) throws(LaminaError) -> [Volume] {
        let records = try catalogue { catalog throws(CatalogError) in try catalog.volumes() }
        return records.map { Volume($0, root: root) }.filter(filter.accepts)
    }

    /// The volume of this name. Throws `notFound`.
    public func volume(_ name: String) throws(LaminaError) -> Volume {
        let record = try catalogue { catalog throws(CatalogError) in try catalog.volume(name) }
        guard let record else { throw LaminaError(CatalogError.noVolume(name)) }
        return Volume(record, root: root)
    }

    /// Removes a volume with everything in it.
    ///
    /// Throws `busy` while a sandbox has a redirect to it or something is mounted in it, `notFound` for
    /// no volume unless `force`.
    public func removeVolume(_ name: String, force: Bool = false) throws(LaminaError) {
        // Keeps a prune from the files while they are being removed here.
        let lease = try lease()
        do throws(LaminaError) {
            try takeAway(name)
        } catch  where force && error.code == .notFound {}
        _ = consume lease
    }

    /// A mount point at or beneath the volume's directory, whose files are not the volume's. O(mounts).
    func mountpoint(in volume: Volume) throws(LaminaError) -> ByteString? {
        let directory = try Self.resolved(root).appending(VolumePath.data(of: volume.name))
        return try Self.mountpoints().first { LexicalPath.isWithin($0, directory) }
    }

    private func takeAway(_ name: String) throws(LaminaError) {
        let volume = try volume(name)
        if let place = try mountpoint(in: volume) {
            throw LaminaError(.busy, name, "something is mounted in it, at \(place)")
        }
        let discarded = try Self.storing(name) { () throws(StoreError) in try store.discardVolume() }
        do throws(CatalogError) {
            try catalog.removeVolume(name) { name throws(Errno) in try discarded.take(name) }
        } catch {
            discarded.giveBack(name)
            throw LaminaError(error)
        }
        do throws(StoreError) { try discarded.remove() } catch { throw LaminaError(error, about: name) }
    }
}
