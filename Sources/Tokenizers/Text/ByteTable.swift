/// Numbers byte strings in order of insertion and finds them again.
///
/// Swift strings are equal under canonical equivalence, so two different tokens of one vocabulary
/// may be equal strings; their bytes differ. The strings lie end to end in one array, so a lookup
/// allocates nothing.
struct ByteTable: Sendable {
    private var arena: [UInt8] = []
    private var ends: [Int] = []
    /// Open addressing: 0 is free; otherwise the number of the string plus one.
    private var slots: [Int32] = []

    var count: Int { ends.count }
    var byteCount: Int { arena.count }

    init(expecting count: Int = 0) {
        ends.reserveCapacity(count)
        if count > 0 { slots = [Int32](repeating: 0, count: Self.slotCount(for: count)) }
    }

    subscript(number: Int) -> ArraySlice<UInt8> {
        arena[(number == 0 ? 0 : ends[number - 1])..<ends[number]]
    }

    /// The number of the string in a range of the bytes.
    func find(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        guard !slots.isEmpty else { return nil }
        let slot = slots[place(of: bytes, range)]
        return slot == 0 ? nil : Int(slot) - 1
    }

    func find(_ bytes: [UInt8]) -> Int? {
        find(bytes, 0..<bytes.count)
    }

    @discardableResult
    mutating func insert(_ bytes: [UInt8]) -> (number: Int, isNew: Bool) {
        insert(bytes, 0..<bytes.count)
    }

    @discardableResult
    mutating func insert(_ bytes: [UInt8], _ range: Range<Int>) -> (number: Int, isNew: Bool) {
        if (ends.count + 1) * 2 > slots.count { grow() }
        let place = place(of: bytes, range)
        if slots[place] != 0 { return (Int(slots[place]) - 1, false) }
        arena.append(contentsOf: bytes[range])
        ends.append(arena.count)
        slots[place] = Int32(ends.count)
        return (ends.count - 1, true)
    }

    mutating func removeAll() {
        arena.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        for place in slots.indices { slots[place] = 0 }
    }

    /// The slot of the string, or the free slot for it.
    private func place(of bytes: [UInt8], _ range: Range<Int>) -> Int {
        var place = Int(truncatingIfNeeded: Self.hash(bytes, range)) & (slots.count - 1)
        while slots[place] != 0 {
            let number = Int(slots[place]) - 1
            let start = number == 0 ? 0 : ends[number - 1]
            if ends[number] - start == range.count, isEqual(bytes, range, at: start) {
                return place
            }
            place = (place + 1) & (slots.count - 1)
        }
        return place
    }

    private func isEqual(_ bytes: [UInt8], _ range: Range<Int>, at start: Int) -> Bool {
        var other = start
        for place in range {
            if bytes[place] != arena[other] { return false }
            other += 1
        }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: Self.slotCount(for: ends.count + 1))
        for number in 0..<ends.count {
            let start = number == 0 ? 0 : ends[number - 1]
            slots[place(of: arena, start..<ends[number])] = Int32(number + 1)
        }
    }

    private static func slotCount(for count: Int) -> Int {
        var slots = 16
        while slots < count * 4 { slots *= 2 }
        return slots
    }

    /// FNV-1a with a final mixing step, because the low bits select the slot. The seed differs from
    /// run to run, so that nobody can write a file whose keys all collide.
    private static func hash(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64 {
        var hash = seed
        for place in range { hash = (hash ^ UInt64(bytes[place])) &* 0x100_0000_01B3 }
        hash ^= hash >> 32
        hash = hash &* 0x9E37_79B9_7F4A_7C15
        return hash ^ (hash >> 29)
    }

    private static let seed = UInt64.random(in: .min ... .max)
}
