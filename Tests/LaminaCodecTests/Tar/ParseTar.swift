import LaminaCodec
import LaminaCore

/// An entry and the payload that the parser showed for it.
struct ParsedEntry {
    var entry: TarEntry
    var payload: [UInt8]

    /// The file's bytes, its holes as zeros.
    var content: [UInt8] {
        guard let map = entry.sparse else { return payload }
        var result = [UInt8](repeating: 0, count: Int(map.size))
        var start = 0
        for segment in map.segments {
            let range = Int(segment.lowerBound)..<Int(segment.upperBound)
            result.replaceSubrange(range, with: payload[start..<start + range.count])
            start += range.count
        }
        return result
    }
}

/// Parses a tar in chunks of `step` bytes, up to its end if it `isWhole`.
func parse(
    _ tar: [UInt8], step: Int = 1 << 20, limits: TarLimits = TarLimits(), isWhole: Bool = true
) throws(CodecError) -> [ParsedEntry] {
    var parser = TarParser(limits: limits)
    var result: [ParsedEntry] = []
    var open: ParsedEntry?
    var start = 0
    while start < tar.count {
        let chunk = tar.span.extracting(start..<min(start + step, tar.count))
        var cursor = 0
        while let event = try parser.next(in: chunk, at: &cursor) {
            switch event {
            case .entry(let entry): open = ParsedEntry(entry: entry, payload: [])
            case .payload(let range): for index in range { open?.payload.append(chunk[index]) }
            case .endOfEntry:
                if let open { result.append(open) }
                open = nil
            }
        }
        start += chunk.count
    }
    if isWhole { try parser.finish() }
    return result
}

/// The fault that parsing `tar` ends with; nil when it is read.
func fault(_ tar: [UInt8]) -> TarFault? {
    do throws(CodecError) {
        _ = try parse(tar)
        return nil
    } catch {
        if case .tar(let fault, _) = error { return fault }
        return nil
    }
}

/// The refusal that parsing `tar` ends with; nil when it is read.
func refusal(_ tar: [UInt8]) -> LayerError? {
    do throws(CodecError) {
        _ = try parse(tar)
        return nil
    } catch {
        if case .layer(let refusal) = error { return refusal }
        return nil
    }
}
