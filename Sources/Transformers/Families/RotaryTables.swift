import Layers
import Synchronization

/// A rotary embedding whose tables grow with the longest requested position: tables for a context
/// of 131,072 positions would take 67 MB, and most work never uses them.
final class RotaryTables: Sendable {
    private let frequencies: RotaryFrequencies
    private let current: Mutex<(rotary: Rotary, positions: Int)?> = Mutex(nil)
    /// Tables for one length beyond the original context; see `covering`.
    private let stretched: Mutex<(rotary: Rotary, positions: Int)?> = Mutex(nil)

    init(_ frequencies: RotaryFrequencies) { self.frequencies = frequencies }

    func covering(_ positions: [Int]) -> Rotary {
        let needed = (positions.max() ?? 0) + 1
        if frequencies.dependOnLength(needed) {
            // These frequencies change with every length. Generation asks for one length in every
            // block before it goes on to the next, so the tables of one length are kept.
            return stretched.withLock { stretched in
                if let stretched, stretched.positions == needed { return stretched.rotary }
                let rotary = Rotary(
                    inverseFrequencies: frequencies.inverse(length: needed), positions: needed,
                    amplitude: frequencies.amplitude)
                stretched = (rotary, needed)
                return rotary
            }
        }
        return current.withLock { current in
            if let current, current.positions >= needed { return current.rotary }
            let size = max(256, needed.nextPowerOfTwo)
            let rotary = Rotary(
                inverseFrequencies: frequencies.inverse(length: needed), positions: size,
                amplitude: frequencies.amplitude)
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
