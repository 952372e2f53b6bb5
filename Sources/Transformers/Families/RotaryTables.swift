import Layers
import Synchronization

/// A rotary embedding whose tables grow with the longest requested position: tables for a context
/// of 131,072 positions would take 67 MB, and most work never uses them.
final class RotaryTables: Sendable {
    private let frequencies: RotaryFrequencies
    private let current: Mutex<(rotary: Rotary, positions: Int)?> = Mutex(nil)

    init(_ frequencies: RotaryFrequencies) { self.frequencies = frequencies }

    func covering(_ positions: [Int]) -> Rotary {
        let needed = (positions.max() ?? 0) + 1
        if frequencies.dependOnLength(needed) {
            return Rotary(
                inverseFrequencies: frequencies.inverse(length: needed), positions: needed)
        }
        return current.withLock { current in
            if let current, current.positions >= needed { return current.rotary }
            let size = max(256, needed.nextPowerOfTwo)
            let rotary = Rotary(
                inverseFrequencies: frequencies.inverse(length: needed), positions: size)
            current = (rotary, size)
            return rotary
        }
    }
}

extension Int {
    fileprivate var nextPowerOfTwo: Int {
        self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
    }
}
