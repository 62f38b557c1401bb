// What the kernel was told of watched directories, and when that is in doubt.

import LaminaCore
import LaminaSystem
import Testing

@testable import LaminaUnion

@Suite struct ToldTreeTests {
    private let directory = NodeID(rawValue: NodeID.redirectedBit | 1)
    private let other = NodeID(rawValue: NodeID.redirectedBit | 2)
    private let node = NodeID(rawValue: NodeID.redirectedBit | 3)
    private let second = NodeID(rawValue: NodeID.redirectedBit | 4)

    /// `#expect` cannot change a value.
    private final class Box {
        var tree = ToldTree()

        func remove(_ id: NodeID) -> Int32? { tree.remove(id) }
        func take(_ name: ByteString, in id: NodeID) -> ToldTree.Name? { tree.take(name, in: id) }
        func put(_ known: ToldTree.Name, at name: NodeName) -> Bool { tree.put(known, at: name) }
        func home(of node: NodeID, at time: UInt32) -> NodeName? { tree.home(of: node, at: time) }

        func tell(_ name: ByteString, in id: NodeID, _ node: NodeID?, at time: UInt32, isOwn: Bool = false)
            -> Bool
        {
            tree.tell(name, in: id, node, at: time, isOwn: isOwn)
        }

        func takeAttributes(of node: NodeID, unless stamp: Int?) -> UInt32? {
            tree.takeAttributes(of: node, unless: stamp)
        }
    }

    private func tree() -> Box {
        let told = Box()
        told.tree.insert(directory, number: 1)
        told.tree.insert(other, number: 2)
        return told
    }

    @Test func aWatchIsOneForAllThatLeadToIt() {
        let told = tree()
        told.tree.insert(second, number: 1)
        #expect(told.tree.numbers[1] == [directory, second])
        #expect(told.remove(directory) == nil && told.remove(directory) == nil)
        #expect(told.remove(second) == 1 && told.remove(other) == 2 && told.tree.numbers.isEmpty)
    }

    @Test func namesAreKeptInWatchedDirectoriesAlone() {
        let told = tree()
        #expect(!told.tell("a", in: node, second, at: 5, isOwn: false) && told.tree.count == 0)
        #expect(told.tell("a", in: directory, nil, at: 5, isOwn: false))
        #expect(told.tree.isMissing("a", in: directory) && !told.tree.isMissing("b", in: directory))
        #expect(told.tell("a", in: directory, node, at: 9, isOwn: false) && told.tree.count == 1)
        #expect(!told.tree.isMissing("a", in: directory))
        #expect(told.take("a", in: directory)?.node == node && told.take("a", in: directory) == nil)
        #expect(told.tree.count == 0)
        _ = told.tell("b", in: directory, node, at: 9, isOwn: false)
        _ = told.remove(directory)
        #expect(told.tree.count == 0)
    }

    /// Of two that differ and may have been on their way together, nobody knows which the kernel took.
    @Test func answersThatDifferAreInDoubt() {
        let told = tree()
        func tell(_ node: NodeID?, _ time: UInt32, isOwn: Bool = false) -> Bool? {
            _ = told.tell("a", in: directory, node, at: time, isOwn: isOwn)
            return told.tree.directories[directory]?.names["a"]?.isMixed
        }
        #expect(tell(nil, 5) == false && tell(nil, 6) == false && tell(node, 7) == true)
        #expect(tell(node, 8) == true && tell(node, 20) == false && tell(nil, 30) == false)
        #expect(tell(node, 30, isOwn: true) == false)
        func tell(stamp: Int, _ time: UInt32, isOwn: Bool = false) -> UInt32? {
            told.tree.tell(stamp, of: node, at: nil, at: time, isOwn: isOwn)
            var copy = told.tree
            return copy.takeAttributes(of: node, unless: stamp)
        }
        #expect(tell(stamp: 1, 5) == nil && tell(stamp: 1, 6) == nil && tell(stamp: 2, 7) == 7)
        #expect(tell(stamp: 2, 8) == 8 && tell(stamp: 3, 9, isOwn: true) == nil && tell(stamp: 4, 20) == nil)
    }

    @Test func attributesAreTakenBackOnce() {
        let told = tree()
        told.tree.tell(7, of: node, at: nil, at: 5, isOwn: false)
        #expect(told.takeAttributes(of: node, unless: 7) == nil)
        #expect(told.takeAttributes(of: node, unless: 8) == 5)
        #expect(
            told.takeAttributes(of: node, unless: 8) == nil
                && told.takeAttributes(of: second, unless: nil) == nil)
    }

    /// A file's attributes count for long as long as its name does.
    @Test func attributesNeedAName() {
        let told = tree()
        let home = NodeName(parent: directory, name: "a")
        told.tree.tell(7, of: node, at: home, at: 5, isOwn: false)
        #expect(told.home(of: node, at: 6) == nil)
        _ = told.tell("a", in: directory, node, at: 5, isOwn: false)
        #expect(told.home(of: node, at: 9)?.name == "a")
        #expect(told.tree.directories[directory]?.names["a"]?.time == 9)
        guard let moved = told.take("a", in: directory) else {
            Issue.record("it was told")
            return
        }
        #expect(!told.put(moved, at: NodeName(parent: second, name: "b")) && told.tree.count == 0)
        #expect(told.put(moved, at: NodeName(parent: other, name: "b")) && told.tree.count == 1)
        #expect(told.home(of: node, at: 9)?.parent == other)
    }

    @Test func whatTheKernelForgotMakesRoom() {
        let told = tree()
        for number in 0..<ToldTree.mostNames {
            _ = told.tell(
                ByteString("\(number)"), in: directory, node, at: number < 10 ? 5 : 30, isOwn: false)
        }
        #expect(told.tree.count == ToldTree.mostNames)
        #expect(!told.tell("new", in: other, node, at: 31, isOwn: false))
        #expect(told.tell("new", in: other, node, at: 40, isOwn: false))
        #expect(told.tree.count == ToldTree.mostNames - 9)
    }
}
