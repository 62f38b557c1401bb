// ListingAdvice owns the guess whether who lists a directory then asks for the attributes of its files.
// `du` and `ls -l` do, and save a lookup for each file when the listing brings them; `find -type f`
// does not, and the kernel makes an inode for each file in vain.
//
// Invariant: it says how an answer is made cheap and never what is true. Any thread may read and write it at any
// time; a lost count only delays a change of mind.

import Glibc
import LaminaUnion
import Synchronization

final class ListingAdvice: Sendable {
    /// What one answer to READDIRPLUS says of nodes that are no directories. Directories always come
    /// with attributes: who walks a tree opens them.
    enum Answer {
        /// Attributes of all.
        case full
        /// Of all but the first, to see whether somebody then asks for it.
        case probing
        /// Of none.
        case bare
    }

    /// Probes in a row without a question that make listings bare.
    private static let patience = 8
    /// Probes answered that make the next ones rare, and how rare.
    private static let sure = 4
    private static let rarely = 16
    /// Questions about bare listings, before the next one, that make listings full.
    private static let questions = 3
    /// Names found in a row in one directory, whose listing the kernel may have kept, that do so too.
    private static let longRun = 8

    private let isBare = Atomic<Bool>(false)
    private let unanswered = Atomic<Int>(0)
    private let answered = Atomic<Int>(0)
    private let listings = Atomic<Int>(0)
    /// The directories of the last answers that left somebody's attributes out; 0 is none.
    private let first = Atomic<UInt64>(0)
    private let second = Atomic<UInt64>(0)
    private let third = Atomic<UInt64>(0)
    private let fourth = Atomic<UInt64>(0)
    /// Where the last names were found while listings are bare, and how many in a row.
    private let walked = Atomic<UInt64>(0)
    private let run = Atomic<Int>(0)
    /// Directories whose listings the kernel keeps without attributes, as many as are worth telling.
    private let keptBare = Mutex<[NodeID]>([])
    private static let mostKept = 16_384
    /// The same directories, by their numbers modulo its size: who is in it perhaps has such a listing. Without
    /// memory for it, nothing is noticed.
    private let poor = try? AtomicBits(count: poorBits)
    private static let poorBits: UInt64 = 1 << 20
    private let forget = Mutex<(@Sendable (NodeID) -> Void)?>(nil)

    /// Has somebody make the kernel forget the listing of a directory: the next one is worth a request,
    /// because it brings what would be asked for file by file.
    func whenListingIsPoor(_ forget: (@Sendable (NodeID) -> Void)?) {
        self.forget.withLock { $0 = forget }
    }

    /// How to answer a listing of a directory.
    func answer() -> Answer {
        if isBare.load(ordering: .relaxed) { return .bare }
        let number = listings.wrappingAdd(1, ordering: .relaxed).newValue
        let isSure = answered.load(ordering: .relaxed) >= Self.sure
        return !isSure || number % Self.rarely == 0 ? .probing : .full
    }

    /// An answer left out attributes that could have been in it.
    func leftOut(in directory: NodeID) {
        if isBare.load(ordering: .relaxed) {
            answered.store(0, ordering: .relaxed)
            keptBare.withLock { if $0.count < Self.mostKept { $0.append(directory) } }
            poor?.insert(directory.rawValue % Self.poorBits)
        } else if unanswered.wrappingAdd(1, ordering: .relaxed).newValue >= Self.patience {
            answered.store(0, ordering: .relaxed)
            isBare.store(true, ordering: .relaxed)
        }
        guard directory.rawValue != first.load(ordering: .relaxed) else { return }
        fourth.store(third.load(ordering: .relaxed), ordering: .relaxed)
        third.store(second.load(ordering: .relaxed), ordering: .relaxed)
        second.store(first.load(ordering: .relaxed), ordering: .relaxed)
        first.store(directory.rawValue, ordering: .relaxed)
    }

    /// Somebody looks up a name that is there. A few loads for who lists nothing.
    @inline(__always)
    func lookedUp(in directory: NodeID) {
        let id = directory.rawValue
        if id == first.load(ordering: .relaxed) || id == second.load(ordering: .relaxed)
            || id == third.load(ordering: .relaxed) || id == fourth.load(ordering: .relaxed)
        {
            return noteQuestion()
        }
        guard isBare.load(ordering: .relaxed), poor?.contains(id % Self.poorBits) == true else { return }
        noteStep(id)
    }

    /// Who walks by listings that the kernel kept sends no listing, only question after question.
    private func noteStep(_ directory: UInt64) {
        guard directory == walked.load(ordering: .relaxed) else {
            walked.store(directory, ordering: .relaxed)
            return run.store(1, ordering: .relaxed)
        }
        if run.wrappingAdd(1, ordering: .relaxed).newValue >= Self.longRun { makeFull() }
    }

    private func noteQuestion() {
        unanswered.store(0, ordering: .relaxed)
        let count = answered.wrappingAdd(1, ordering: .relaxed).newValue
        guard isBare.load(ordering: .relaxed), count >= Self.questions else { return }
        makeFull()
    }

    private func makeFull() {
        unanswered.store(0, ordering: .relaxed)
        run.store(0, ordering: .relaxed)
        isBare.store(false, ordering: .relaxed)
        let kept = keptBare.withLock { kept in
            defer { kept = [] }
            return kept
        }
        for directory in kept { poor?.remove(directory.rawValue % Self.poorBits) }
        guard let forget = forget.withLock({ $0 }) else { return }
        for directory in kept { forget(directory) }
    }
}
