import Foundation
import NumberTypes
import TestSupport
import Testing

@testable import Tensors

/// Sixteen-bit storage: conversions bit by bit, and products against plain loops in double
/// precision.
@Suite struct StoredTypeTests {
    @Test func everyFloat16IsReadExactly() {
        for bits in UInt16.min...UInt16.max {
            let (found, wanted) = (float(fromFloat16: bits), Float(Float16(bitPattern: bits)))
            #expect(
                found.isNaN && wanted.isNaN || found.bitPattern == wanted.bitPattern, "\(bits)")
        }
    }

    @Test func roundingIsToNearestTiesToEven() {
        let key = RandomKey(seed: 3)
        var values: [Float] = [0, -0.0, 1, 65_504, 65_519.99, 65_520, 1e9, -1e9, .infinity, .nan]
        values += [
            0x1p-14, 0x1p-24, 0x1p-25, 0x1.8p-25, 0x1.8p-24, 2.5e-8, 1 + 0x1p-11, 1 + 0x3p-11,
        ]
        for i in 0..<20_000 {
            let exponent = key.integer(UInt64(2 * i), below: 60) - 40
            values.append(Float(key.normal(UInt64(2 * i + 1))) * Float(pow(2, Double(exponent))))
        }
        for value in values {
            let (found, wanted) = (float16(value), Float16(value).bitPattern)
            #expect(
                found == wanted || value.isNaN && float(fromFloat16: found).isNaN, "\(value)")
            // bfloat16: no other is nearer.
            let bits = bfloat16(value)
            if value.isNaN {
                #expect(float(fromBFloat16: bits).isNaN)
            } else if value.isFinite {
                let error = abs(Double(float(fromBFloat16: bits)) - Double(value))
                for other in [bits &- 1, bits &+ 1] where float(fromBFloat16: other).isFinite {
                    #expect(error <= abs(Double(float(fromBFloat16: other)) - Double(value)))
                }
            }
        }
        #expect(bfloat16(1 + 0x1p-8) == bfloat16(1))
        #expect(bfloat16(1 + 0x3p-8) == bfloat16(1 + 0x4p-8))
    }

    @Test(arguments: [DType.bfloat16, .float16])
    func aStoredTensorReadsAsItsFloats(type: DType) {
        let stored = random([5, 1300], 1).converted(to: type)
        #expect(stored.type == type)
        let plain = stored.converted(to: .float32)
        #expect(plain.type == .float32 && plain.values == stored.values && plain == stored)
        #expect(stored[3, 7] == plain[3, 7] && stored[11] == plain[11])
        #expect(stored.squaredNorm == plain.squaredNorm)
        #expect(stored.withUnsafeBufferPointer { Array($0) } == plain.values)
        #expect((0..<6500).allSatisfy { stored.pointer[$0] == plain[$0] })
        #expect(stored.converted(to: type) == stored && plain.converted(to: type) == stored)

        var changed = stored
        changed[4] = 2.5
        #expect(changed.type == .float32 && changed[4] == 2.5 && changed[5] == stored[5])
        #expect(stored[4] == plain[4])
        var broken = plain
        broken[6499] = .infinity
        #expect(broken.converted(to: type).nonFiniteCount == 1)
        var sum = plain
        sum.add(stored, scaledBy: -1)
        #expect(sum.squaredNorm == 0)
    }

    /// Widths with and without a vector's tail; rows for each of the ways a product is done.
    @Test(
        arguments: DType.computed,
        [1, 2, 3, 7, 9, 16, 17, 64, 65, 200].flatMap { n in
            [[n, 64, 130], [n, 37, 9], [n, 5, 3], [n, 300, 66]]
        })
    func productsEqualPlainLoops(type: DType, sizes: [Int]) {
        let (n, k, m) = (sizes[0], sizes[1], sizes[2])
        let (x, w) = (random([n, k], 1), random([m, k], 2).converted(to: type))
        let slow = slowProduct(x, transposed: w)
        var fast = Tensor(uninitialized: [n, m])
        multiply(x, transposed: w, into: &fast)
        #expect(zip(fast.values, slow.values).allSatisfy { abs($0 - $1) < 1e-4 })
        multiply(x, transposed: w, into: &fast, accumulate: true)
        #expect(zip(fast.values, slow.values).allSatisfy { abs($0 - 2 * $1) < 2e-4 })

        let y = random([n, m], 3)
        var stored = Tensor(uninitialized: [n, k])
        multiply(y, w, into: &stored)
        // y w is x' w'ᵀ with w turned over.
        var turned = Tensor(uninitialized: [k, m])
        for i in 0..<m { for j in 0..<k { turned[j, i] = w[i, j] } }
        let plain = slowProduct(y, transposed: turned)
        #expect(zip(stored.values, plain.values).allSatisfy { abs($0 - $1) < 1e-4 })
        multiply(y, w, into: &stored, accumulate: true)
        #expect(zip(stored.values, plain.values).allSatisfy { abs($0 - 2 * $1) < 2e-4 })
    }

    /// Sums longer than one panel of weights.
    @Test func panelsAddUp() {
        let (y, w) = (random([70, 1100], 1), random([1100, 600], 2).converted(to: .bfloat16))
        var (stored, plain) = (Tensor(uninitialized: [70, 600]), Tensor(uninitialized: [70, 600]))
        multiply(y, w, into: &stored)
        multiply(y, w.converted(to: .float32), into: &plain)
        #expect(zip(stored.values, plain.values).allSatisfy { abs($0 - $1) < 1e-3 })
    }

    /// Memory of another owner is read in place, copied if it is not aligned, and never written.
    @Test(arguments: [0, 2, 1])
    func borrowedMemoryIsNeverWritten(offset: Int) {
        final class Owner {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
            deinit { memory.deallocate() }
        }
        let owner = Owner()
        let place = owner.memory + offset
        for i in 0..<4 {
            place.storeBytes(of: Float(i), toByteOffset: 4 * i, as: Float.self)
        }
        var tensor = Tensor(borrowing: place, .float32, shape: [2, 2], of: owner)
        #expect(tensor.values == [0, 1, 2, 3])
        #expect((tensor.address == UnsafeRawPointer(place)) == (offset % 4 == 0))
        tensor[1] = 7
        #expect(tensor.values == [0, 7, 2, 3])
        #expect(place.loadUnaligned(fromByteOffset: 4, as: Float.self) == 1)
    }
}
