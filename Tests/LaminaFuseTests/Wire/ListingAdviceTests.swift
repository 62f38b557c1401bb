import LaminaTestSupport
import LaminaUnion
import Synchronization
import Testing

@testable import LaminaFuse

@Suite struct ListingAdviceTests {
    private static func node(_ number: Int) -> NodeID { NodeID(rawValue: UInt64(number)) }

    /// Lists directories, of which somebody asks for the attributes of `questions` files each.
    private func list(_ advice: ListingAdvice, _ directories: Range<Int>, questions: Int) -> [ListingAdvice
        .Answer]
    {
        directories.map { number in
            let answer = advice.answer()
            if answer != .full { advice.leftOut(in: Self.node(number)) }
            let asked = answer == .bare ? questions : answer == .probing ? min(questions, 1) : 0
            for _ in 0..<asked { advice.lookedUp(in: Self.node(number)) }
            return answer
        }
    }

    @Test func whoNeverAsksIsToldNothing() {
        let advice = ListingAdvice()
        let answers = list(advice, 1..<200, questions: 0)
        #expect(answers.prefix(8).allSatisfy { $0 == .probing })
        #expect(answers.dropFirst(8).allSatisfy { $0 == .bare })
    }

    @Test func whoAlwaysAsksIsToldNearlyAll() {
        let advice = ListingAdvice()
        let answers = list(advice, 1..<1_000, questions: 20)
        #expect(!answers.contains(.bare))
        #expect(answers.count { $0 == .probing } < 80)
    }

    /// What the kernel keeps without attributes, it is made to ask for again.
    @Test func changesItsMindBothWays() {
        let advice = ListingAdvice()
        let forgotten = Mutex<[NodeID]>([])
        advice.whenListingIsPoor { directory in forgotten.withLock { $0.append(directory) } }
        _ = list(advice, 1..<100, questions: 0)
        #expect(forgotten.withLock { $0.isEmpty })
        let asked = list(advice, 100..<200, questions: 20)
        #expect(asked.first == .bare && !asked.dropFirst().contains(.bare))
        #expect(forgotten.withLock { $0.count } == 92)
        #expect(list(advice, 200..<400, questions: 0).last == .bare)
    }

    /// `du` after `find` walks by the listings that the kernel kept, and sends lookups alone.
    @Test func whoAsksBehindKeptListingsIsNoticed() {
        let advice = ListingAdvice()
        let forgotten = Mutex<Int>(0)
        advice.whenListingIsPoor { _ in forgotten.withLock { $0 += 1 } }
        _ = list(advice, 1..<100, questions: 0)
        // One here and there, as programs open files.
        for _ in 0..<10 { for directory in 20..<60 { advice.lookedUp(in: Self.node(directory)) } }
        #expect(advice.answer() == .bare)
        for _ in 0..<8 { advice.lookedUp(in: Self.node(30)) }
        #expect(advice.answer() == .probing)
        #expect(forgotten.withLock { $0 } == 91)
    }

    /// Lookups of a program that reads no directory say nothing about listings.
    @Test func lookupsElsewhereAreNoQuestions() {
        let advice = ListingAdvice()
        _ = list(advice, 1..<100, questions: 0)
        for _ in 0..<1_000 { advice.lookedUp(in: Self.node(5_000)) }
        #expect(advice.answer() == .bare)
    }
}
