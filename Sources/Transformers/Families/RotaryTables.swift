import Layers
import Synchronization

/// A rotary embedding whose tables grow with the longest position that was asked for: a context of
/// 131,072 positions would cost 67 MB that most work never touches.
final class RotaryTables: Sendable {
    private let inverseFrequencies: [Double]
    private let current: Mutex<(rotary: Rotary, positions: Int)?> = Mutex(nil)

    init(inverseFrequencies: [Double]) { self.inverseFrequencies = inverseFrequencies }

    func covering(_ positions: [Int]) -> Rotary {
        let needed = (positions.max() ?? 0) + 1
        return current.withLock { current in
            if let current, current.positions >= needed { return current.rotary }
            let size = max(256, needed.nextPowerOfTwo)
            let rotary = Rotary(inverseFrequencies: inverseFrequencies, positions: size)
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
