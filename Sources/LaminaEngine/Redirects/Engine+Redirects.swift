// From what a caller asks for to what a sandbox records: sources are looked up, new volumes drawn up.

import Foundation
import Glibc
import LaminaCatalog
import LaminaCore
import LaminaStore
import LaminaSystem

extension Engine {
    /// The redirects of a new sandbox on `image`. Makes chains and missing sources of binds; volumes
    /// are made when the sandbox is recorded. The caller holds a lease.
    ///
    /// - Parameter allowSpecial: whether binds may lead to the store, `/`, `/proc` and `/sys`.
    func plan(
        _ requests: [RedirectRequest], for image: ImageRecord, allowSpecial: Bool
    ) throws(LaminaError) -> RedirectPlan {
        try plan(requests, imageVolumes: imageVolumes(image.id), allowSpecial: allowSpecial)
    }

    /// The redirects that a sandbox gets besides those that it has, with targets `known`.
    func plan(
        _ requests: [RedirectRequest], imageVolumes: [ByteString] = [], besides known: [ByteString] = [],
        allowSpecial: Bool
    ) throws(LaminaError) -> RedirectPlan {
        var plan = try RedirectPlan(Self.checked(requests), imageVolumes: imageVolumes, besides: known)
        for request in plan.requests {
            var redirect = request.redirect
            switch redirect.kind {
            case .bind:
                redirect.allowsSpecial = allowSpecial
                try checkSource(of: redirect)
            case .volume: try planVolume(&redirect, request, &plan.volumes)
            case .tmpfs: break
            case .image: try planImage(&redirect)
            }
            plan.redirects.append(redirect)
        }
        // Last, so that a request that is refused has made nothing.
        for redirect in plan.redirects where redirect.kind == .bind && redirect.createsSource {
            try makeSource(of: redirect)
        }
        return plan
    }

    /// Requests that no parser made are held to the same rules.
    private static func checked(_ requests: [RedirectRequest]) throws(LaminaError) -> [RedirectRequest] {
        var result = requests
        for index in result.indices {
            do throws(Refusal) {
                result[index].redirect = try RedirectRules.checked(result[index].redirect)
                try RedirectRules.checkName(result[index].redirect)
                _ = try VolumeOptions(result[index].volumeOptions)
            } catch {
                throw LaminaError(.usage, "redirect", error.reason)
            }
        }
        return result
    }

    private func planVolume(
        _ redirect: inout Redirect, _ request: RedirectRequest, _ volumes: inout [VolumeRecord]
    ) throws(LaminaError) {
        let name = redirect.source.isEmpty ? nil : redirect.source.description
        if let name {
            if volumes.contains(where: { $0.name == name }) { return }
            let known = try catalogue { catalog throws(CatalogError) in try catalog.volume(name) }
            if known != nil { return }
        }
        let record = VolumeRecord(
            new: name, labels: request.labels, options: request.volumeOptions,
            now: Int64(Date().timeIntervalSince1970))
        redirect.source = ByteString(record.name)
        redirect.isAnonymous = record.isAnonymous
        volumes.append(record)
    }

    private func planImage(_ redirect: inout Redirect) throws(LaminaError) {
        let name = redirect.source.description
        let image = try record(name)
        try makeChain(image.diffIDs, os: image.os)
        redirect.source = ByteString("\(image.id)")
        redirect.imageName = name
        redirect.chainID = image.chainID
    }

    /// The clean targets of an image's `VOLUME`s (OCI image specification, `config.md`).
    private func imageVolumes(_ id: Digest) throws(LaminaError) -> [ByteString] {
        let name = "config \(id)"
        let bytes = try Self.storing(name) { () throws(StoreError) in try store.readBlob(id) }
        let document = try DocumentParsing.parse(ImageVolumes.self, from: bytes, named: name)
        var targets: [ByteString] = []
        for path in document.paths {
            do throws(Refusal) {
                let redirect = Redirect(.volume, target: ByteString("/").appending(ByteString(path)))
                targets.append(try RedirectRules.checked(redirect).target)
            } catch {
                throw LaminaError(.badInput, name, "VOLUME \(path): \(error.reason)")
            }
        }
        return targets
    }
}
