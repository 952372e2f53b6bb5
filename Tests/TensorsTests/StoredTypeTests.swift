import Foundation
import NumberTypes
import TestSupport
import Testing

@testable import Tensors

/// Storage in 16 bits and in blocks: conversions bit by bit, products against plain loops in double
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

    @Test(arguments: [StoredFormat.bfloat16, .float16, .q80])
    func aStoredTensorReadsAsItsFloats(format: StoredFormat) {
        let stored = random([50, 1312], 1).converted(to: format)
        #expect(stored.format == format)
        let plain = stored.converted(to: .float32)
        #expect(plain.format == .float32 && plain.values == stored.values && plain == stored)
        #expect(stored[3, 7] == plain[3, 7] && stored[11] == plain[11])
        #expect(stored.squaredNorm == plain.squaredNorm)
        #expect(stored.withUnsafeBufferPointer { Array($0) } == plain.values)
        #expect((0..<65_600).allSatisfy { stored.pointer[$0] == plain[$0] })
        #expect(stored.converted(to: format) == stored && plain.converted(to: format) == stored)

        var changed = stored
        changed[4] = 2.5
        #expect(changed.format == .float32 && changed[4] == 2.5 && changed[5] == stored[5])
        #expect(stored[4] == plain[4])
        var broken = plain
        broken[65_599] = .infinity
        // In blocks, the others of its block are lost with it.
        #expect(broken.converted(to: format).nonFiniteCount == format.group)
        var sum = plain
        sum.add(stored, scaledBy: -1)
        #expect(sum.squaredNorm == 0)
    }

    /// Widths with and without a vector's tail; rows for each of the ways a product is done.
    @Test(
        arguments: StoredFormat.computed,
        [1, 2, 3, 7, 9, 16, 17, 64, 65, 200].flatMap { n in
            [[n, 64, 130], [n, 37, 9], [n, 5, 3], [n, 300, 66], [n, 288, 37]]
        })
    func productsEqualPlainLoops(format: StoredFormat, sizes: [Int]) {
        let (n, k, m) = (sizes[0], sizes[1], sizes[2])
        let (x, w) = (random([n, k], 1), random([m, k], 2).converted(to: format))
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
    @Test(arguments: [StoredFormat.bfloat16, .q80])
    func panelsAddUp(format: StoredFormat) {
        let (y, w) = (random([70, 1100], 1), random([1100, 608], 2).converted(to: format))
        var (stored, plain) = (Tensor(uninitialized: [70, 608]), Tensor(uninitialized: [70, 608]))
        multiply(y, w, into: &stored)
        multiply(y, w.converted(to: .float32), into: &plain)
        #expect(zip(stored.values, plain.values).allSatisfy { abs($0 - $1) < 1e-3 })
    }

    @Test func `vectors and narrow matrices stay as they are`() {
        for shape in [[64], [8, 64], [64, 40]] {
            #expect(random(shape, 1).converted(to: .q80).format == .float32)
        }
        let small = random([32, 32], 1).converted(to: .bfloat16)
        #expect(small.converted(to: .q80).format == .q80)
    }

    @Test func `blocks are reshaped as long as rows are whole blocks`() {
        let stored = random([32, 64], 1).converted(to: .q80)
        for shape in [[64, 32], [2, 16, 64], [2048]] {
            let found = stored.reshaped(shape)
            #expect(found.format == .q80 && found.values == stored.values)
            #expect(found.gatheringRows([found.rows - 1]).values.last == stored.values.last)
        }
        let crossing = stored.reshaped([128, 16])
        #expect(crossing.format == .float32 && crossing.values == stored.values)
        #expect(crossing.gatheringRows([3]).values == Array(stored.values[48..<64]))
    }

    @Test func `numbers without a nearest integer have a place in a block`() {
        var rows = Tensor(zeros: [32, 32])
        (rows[32], rows[33]) = (-0.0, 2)
        (rows[64], rows[65], rows[66]) = (127, 0.5, -1.5)
        (rows[96], rows[97]) = (1e-30, -1e-30)
        let found = rows.converted(to: .q80)
        #expect(abs(found[33] - 2) < 1e-3)
        // Halves are rounded away from zero.
        #expect(found[64] == 127 && found[65] == 1 && found[66] == -2)
        // The scale is too small for float16.
        #expect(found[96] == 0 && found[97] == 0)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func `a number that is not finite makes a NaN of its block`(number: Float) {
        var rows = Tensor(repeating: 1, shape: [32, 64])
        rows[70] = number
        let found = rows.converted(to: .q80)
        for i in 0..<found.count { #expect(found[i].isNaN == (64..<96).contains(i)) }
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
