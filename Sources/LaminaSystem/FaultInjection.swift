// FaultInjection owns the switch by which a test makes the Nth call of a kind fail, or kills
// the process there. Off, it costs one relaxed load a call. Tests run side by side in one
// process, so that what a test arms meets its own thread only, and the workers it starts.

import CLinux
import Glibc
import LaminaCore
import Synchronization

/// The calls that change a disk, which a test may make fail.
public enum FaultPoint: UInt8, Sendable, CaseIterable {
    case write = 1
    case sync
    case rename
    case link
    case create
    case remove
    case commit
}

/// Makes chosen system calls fail, for tests of crash safety.
public enum FaultInjection {
    /// What happens at the chosen call.
    public enum Action: Sendable {
        /// The call is not made and answers this error.
        case fail(Errno)
        /// The process ends at once, as by `kill -9`.
        case kill
        /// This call and all later ones of the kind answer `EIO`: nothing reaches the disk any
        /// more, as after a kill, and the test goes on.
        case stop
    }

    // One word: kind in the top byte (0: off, 255: every kind), action in the next two,
    // calls still to pass below.
    private static let state = Atomic<UInt64>(0)
    private static let stopCode: UInt64 = 0xFFFF
    /// Which threads count: those of this scope; 0: all.
    private static let scope = Atomic<UInt32>(0)
    private static let lastScope = Atomic<UInt32>(0)

    /// Arms the switch for this thread and the workers that it starts from now on: call number
    /// `count` (from 1) of kind `point` (nil: of any kind) meets `action`; later calls pass again.
    public static func arm(_ point: FaultPoint?, count: UInt32, action: Action) {
        let scope = lastScope.wrappingAdd(1, ordering: .relaxed).newValue
        clinux_set_fault_scope(scope)
        Self.scope.store(scope, ordering: .sequentiallyConsistent)
        set(point, count: count, action: action)
    }

    private static func set(_ point: FaultPoint?, count: UInt32, action: Action) {
        let kind = UInt64(point?.rawValue ?? 255)
        let code: UInt64 =
            switch action {
            case .fail(let error): UInt64(UInt16(truncatingIfNeeded: error.rawValue))
            case .kill: 0
            case .stop: stopCode
            }
        state.store(kind << 56 | code << 32 | UInt64(max(count, 1)), ordering: .sequentiallyConsistent)
    }

    /// The calls of the armed kind, the one that meets the action among them, that are still to
    /// come; 0 when the switch is off. Armed with a great number, this counts calls.
    public static var callsLeft: UInt32 {
        UInt32(truncatingIfNeeded: state.load(ordering: .sequentiallyConsistent))
    }

    /// Takes the switch back.
    public static func disarm() {
        clinux_set_fault_scope(0)
        state.store(0, ordering: .sequentiallyConsistent)
    }

    /// Arms all threads from text such as `rename:3:EIO`, `any:17:kill` or `write:2:28`; false
    /// when the text is none. The commands read it from `LAMINA_FAULT`.
    public static func arm(text: String) -> Bool {
        let parts = text.split(separator: ":")
        guard parts.count == 3, let count = UInt32(parts[1]) else { return false }
        let points: [Substring: FaultPoint] = [
            "write": .write, "sync": .sync, "rename": .rename, "link": .link,
            "create": .create, "remove": .remove, "commit": .commit,
        ]
        guard parts[0] == "any" || points[parts[0]] != nil else { return false }
        let named: [Substring: Errno] = ["EIO": .ioError, "ENOSPC": .noSpace]
        if parts[2] == "kill" {
            set(points[parts[0]], count: count, action: .kill)
        } else if let error = named[parts[2]] ?? Int32(parts[2]).map({ Errno(rawValue: $0) }) {
            set(points[parts[0]], count: count, action: .fail(error))
        } else {
            return false
        }
        return true
    }

    /// Called before each call of kind `point`; throws where the test wants a failure.
    @inline(__always)
    public static func check(_ point: FaultPoint) throws(Errno) {
        if state.load(ordering: .relaxed) != 0 { try count(point) }
    }

    private static func count(_ point: FaultPoint) throws(Errno) {
        let scope = scope.load(ordering: .sequentiallyConsistent)
        guard scope == 0 || scope == clinux_fault_scope() else { return }
        while true {
            let current = state.load(ordering: .sequentiallyConsistent)
            let kind = UInt8(truncatingIfNeeded: current >> 56)
            guard kind == 255 || kind == point.rawValue else { return }
            let left = UInt32(truncatingIfNeeded: current)
            if left <= 1, current >> 32 & 0xFFFF == stopCode { throw .ioError }
            let next = left <= 1 ? 0 : current - 1
            let (exchanged, _) = state.compareExchange(
                expected: current, desired: next, ordering: .sequentiallyConsistent)
            guard exchanged else { continue }
            guard left <= 1 else { return }
            let code = Int32(UInt16(truncatingIfNeeded: current >> 32))
            if code == 0 { kill(getpid(), SIGKILL) }
            throw Errno(rawValue: code)
        }
    }
}
