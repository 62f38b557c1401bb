// LoadProgressView draws one line a layer: a bar that is redrawn on a terminal, one line
// at the layer's end elsewhere.

import Foundation
import LaminaCore
import LaminaEngine
import Synchronization

final class LoadProgressView: Sendable {
    private struct Row {
        var digest: Digest
        var done: Int64 = 0
        var total: Int64
        var state = "Extracting"
    }

    private struct State {
        var rows: [Row] = []
        var drawn = 0
        var lastDraw: TimeInterval = 0
        var isFinished = false
    }

    private let state = Mutex(State())
    private let isQuiet: Bool
    private let redraws: Bool

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        redraws = Terminal.showsProgress
    }

    /// Takes an event from any thread.
    func show(_ event: LoadEvent) {
        if isQuiet { return }
        state.withLock { state in
            let ends = apply(event, to: &state)
            if redraws {
                let now = Date().timeIntervalSinceReferenceDate
                guard ends || now - state.lastDraw > 0.1 else { return }
                state.lastDraw = now
                draw(&state)
            } else if ends, let row = state.rows.first(where: { $0.digest == event.layer }) {
                Terminal.draw("\(Format.short(row.digest)): \(row.state)\n")
            }
        }
    }

    /// Draws the last state; later events are ignored.
    func finish() {
        state.withLock { state in
            if redraws && !isQuiet && !state.isFinished && !state.rows.isEmpty { draw(&state) }
            state.isFinished = true
        }
    }

    /// Returns whether the event ends a layer.
    private func apply(_ event: LoadEvent, to state: inout State) -> Bool {
        let index: Int
        if let found = state.rows.firstIndex(where: { $0.digest == event.layer }) {
            index = found
        } else {
            index = state.rows.count
            state.rows.append(Row(digest: event.layer, total: 0))
        }
        switch event.step {
        case .started(let size): state.rows[index].total = size
        case .read(let bytes): state.rows[index].done = bytes
        case .loaded: state.rows[index].state = "Loaded"
        case .exists: state.rows[index].state = "Already exists"
        }
        return state.rows[index].state != "Extracting"
    }

    private func draw(_ state: inout State) {
        if state.isFinished { return }
        var text = state.drawn > 0 ? "\u{1B}[\(state.drawn)A" : ""
        for row in state.rows { text += "\r\u{1B}[K" + line(row) + "\n" }
        state.drawn = state.rows.count
        Terminal.draw(text)
    }

    private func line(_ row: Row) -> String {
        let head = "\(Format.short(row.digest)): "
        guard row.state == "Extracting" else { return head + row.state }
        let numbers = " \(Format.size(row.done))/\(Format.size(row.total))"
        let width = max(min(Terminal.width - head.count - numbers.count - 14, 50), 5)
        let share = row.total > 0 ? min(Double(row.done) / Double(row.total), 1) : 0
        let filled = Int(share * Double(width))
        let bar = String(repeating: "=", count: max(filled - 1, 0)) + (filled > 0 ? ">" : "")
        return head + "Extracting [" + bar + String(repeating: " ", count: width - bar.count) + "]" + numbers
    }
}
