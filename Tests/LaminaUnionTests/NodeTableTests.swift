// The sandbox's node table, and the bitmap that decides who needs it.

import LaminaCore
import Testing

@testable import LaminaUnion

@Suite struct NodeTableTests {
    @Test func numbersAreNeverGivenTwice() {
        var table = NodeTable()
        let first = table.insert(type: .regular, inode: 10, lower: nil)
        let id = first.id
        #expect(id.nid == nil)
        first.lookups = 2
        table.forget(id, count: 1)
        #expect(table[id] != nil)
        table.forget(id, count: 1)
        #expect(table[id] == nil)
        #expect(table.node(inode: 10) == nil)
        #expect(table.insert(type: .regular, inode: 10, lower: nil).id != id)
    }

    @Test func aTwinKeepsTheLowerNumberAndStays() {
        var table = NodeTable()
        let root = table.insert(type: .directory, inode: 1, lower: 1)
        let twin = table.insert(type: .regular, inode: 11, lower: 77)
        twin.addName("f", in: root)
        #expect(twin.id == NodeID(rawValue: 77))
        table.forget(twin.id, count: 5)
        #expect(table[twin.id] === twin)
        twin.removeName("f", in: root)
        table.forget(twin.id, count: 0)
        #expect(table[twin.id] == nil)
    }

    @Test func aTakenLowerNumberIsNotShared() {
        var table = NodeTable()
        _ = table.insert(type: .regular, inode: 11, lower: 77)
        let second = table.insert(type: .regular, inode: 12, lower: 77)
        #expect(second.id.nid == nil)
    }

    @Test func aReusedInodeIsAnotherNode() {
        var table = NodeTable()
        let first = table.insert(type: .regular, inode: 10, lower: nil)
        table.removeInode(of: first)
        let second = table.insert(type: .regular, inode: 10, lower: nil)
        #expect(table.node(inode: 10) === second)
        table.removeInode(of: first)
        #expect(table.node(inode: 10) === second)
    }

    @Test func directoriesStayWhileChildrenDo() {
        var table = NodeTable()
        let directory = table.insert(type: .directory, inode: 2, lower: nil)
        let child = table.insert(type: .regular, inode: 3, lower: nil)
        child.addName("c", in: directory)
        table.forget(directory.id, count: 9)
        #expect(table[directory.id] != nil)
        table.forget(child.id, count: 9)
        table.forget(directory.id, count: 0)
        #expect(table[directory.id] == nil)
    }
}
