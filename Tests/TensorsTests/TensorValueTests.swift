import NumberTypes
import TestSupport
import Testing

@testable import Tensors

/// Tensors are values: writing through one name does not change another.
@Suite struct TensorValueTests {
    /// Every way to write, on a copy.
    static let writes: [(name: String, write: @Sendable (inout Tensor) -> Void)] = [
        ("element", { $0[1] = 7 }),
        ("row and column", { $0[1, 0] = 7 }),
        ("pointer", { $0.mutablePointer()[2] = 7 }),
        ("scale", { $0.scale(by: 2) }),
        ("add", { $0.add(Tensor(repeating: 1, shape: [2, 3])) }),
        ("clear", { $0.clear() }),
        (
            "product",
            {
                multiply(
                    Tensor(repeating: 1, shape: [2, 4]),
                    transposed: Tensor(repeating: 1, shape: [3, 4]), into: &$0)
            }
        ),
        (
            "gradient product",
            {
                multiply(
                    transposed: Tensor(repeating: 1, shape: [4, 2]),
                    Tensor(repeating: 1, shape: [4, 3]), into: &$0, accumulate: true)
            }
        ),
    ]

    @Test(arguments: writes.indices, [StoredFormat.float32, .bfloat16])
    func aWriteIsSeenUnderOneNameOnly(index: Int, format: StoredFormat) {
        let original = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]).converted(to: format)
        var copy = original
        let (kept, reshaped) = ([original, copy], original.reshaped([3, 2]))
        Self.writes[index].write(&copy)
        #expect(original.values == [1, 2, 3, 4, 5, 6], "\(Self.writes[index].name)")
        #expect(copy.values != original.values, "\(Self.writes[index].name)")
        #expect(kept.allSatisfy { $0.values == [1, 2, 3, 4, 5, 6] })
        #expect(reshaped.values == [1, 2, 3, 4, 5, 6])
    }

    /// A tensor with one name is changed in place. The first write to a tensor with two names
    /// copies it; after that it has one name again.
    @Test func onlySharedMemoryIsCopied() {
        var tensor = Tensor(repeating: 1, shape: [100])
        let place = tensor.address
        tensor[0] = 2
        #expect(tensor.address == place)
        let other = tensor
        tensor[0] = 3
        #expect(tensor.address != place && other.address == place)
        let second = tensor.address
        tensor[0] = 4
        #expect(tensor.address == second && other[0] == 2)
    }

    /// A tensor that is added to itself, and a product into one of its own factors' copies.
    @Test func aTensorMayBeItsOwnOperand() {
        var x = Tensor([1, 2, 3, 4], shape: [2, 2])
        x.add(x)
        #expect(x.values == [2, 4, 6, 8])
        let factor = x
        multiply(factor, transposed: factor, into: &x)
        #expect(x.values == [20, 44, 44, 100])
        #expect(factor.values == [2, 4, 6, 8])
    }
}
