import NumberTypes
import Testing

@testable import DataFiles

@Suite struct NumPyFileTests {
    private func file(
        _ header: String, values: Int, version: UInt8 = 1
    ) -> [UInt8] {
        let length = header.utf8.count
        let size: [UInt8] =
            version == 1
            ? [UInt8(length & 0xFF), UInt8(length >> 8)]
            : [UInt8(length & 0xFF), UInt8(length >> 8), 0, 0]
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8)
            + [UInt8](repeating: 1, count: values)
    }

    private func fault(_ bytes: [UInt8]) -> NumPyFile.Fault? {
        bytes.withUnsafeBytes { bytes in
            do throws(NumPyFile.Fault) {
                _ = try NumPyFile(bytes)
                return nil
            } catch {
                return error
            }
        }
    }

    @Test func `the header says type, shape and order`() throws {
        // As numpy 2.1 writes them: np.save of arange(6, dtype='<i2').reshape(2, 3) and its .T.
        let plain = file(
            "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }\n", values: 12)
        let turned = file(
            "{'descr': '|b1', 'fortran_order': True, 'shape': (3, 2), }\n", values: 6, version: 2)
        try plain.withUnsafeBytes { bytes in
            let read = try NumPyFile(bytes)
            #expect(read.type == .int16 && read.shape == [2, 3] && !read.isColumnMajor)
            #expect(read.values == bytes.count - 12..<bytes.count)
        }
        try turned.withUnsafeBytes { bytes in
            let read = try NumPyFile(bytes)
            #expect(read.type == .bool && read.shape == [3, 2] && read.isColumnMajor)
        }
    }

    @Test func `what is written is read`() throws {
        for shape in [[], [0], [5], [2, 3], [1, 1, 4]] {
            let count = shape.reduce(1, *)
            let bytes = NumPyFile.header(ofFloat32: shape) + [UInt8](repeating: 0, count: 4 * count)
            try bytes.withUnsafeBytes {
                let read = try NumPyFile($0)
                #expect(read.shape == shape && read.type == .float32 && !read.isColumnMajor)
                #expect(read.values.lowerBound % 64 == 0)
            }
        }
    }

    @Test func `hostile files get their reason`() {
        func described(_ type: String, _ shape: String = "(2,)", values: Int = 8) -> [UInt8] {
            file(
                "{'descr': \(type), 'fortran_order': False, 'shape': \(shape), }", values: values)
        }
        #expect(fault(Array("PK\u{3}\u{4}, an archive".utf8)) == .notNumPy)
        #expect(fault([0x93]) == .notNumPy)
        #expect(fault(Array(described("'<f4'").dropLast(30))) == .tooShort(needed: 67, found: 45))
        #expect(fault(described("'|O'")) == .objects)
        #expect(fault(described("[('a', '<f4')]")) == .structured)
        #expect(fault(described("'<c8'")) == .elements("<c8"))
        #expect(fault(described("'<U3'")) == .elements("<U3"))
        #expect(fault(described("'>f4'")) == .byteOrder)
        #expect(
            fault(described("'<f4'", "(3,)")) == .size(shape: [3], needed: 12, found: 8))
        #expect(
            fault(described("'<f4'", "(4611686018427387904, 4)"))
                == .shape([4_611_686_018_427_387_904, 4]))
        #expect(fault(described("'<f4'", "(99999999999999999999,)")) == .header)
        #expect(fault(described("'<f4'", "(-1,)")) == .header)
        #expect(fault(file("{'descr': '<f4'}", values: 8)) == .header)
        #expect(fault(file("__import__('os')", values: 8)) == .header)
        #expect(fault([0x93] + Array("NUMPY".utf8) + [9, 0, 0, 0, 0, 0]) == .version(9))
        var long = described("'<f4'")
        (long[8], long[9]) = (0xFF, 0xFF)
        #expect(fault(long) == .header)
    }

    @Test func `no flipped bit and no cut crashes the reader`() {
        let whole = file(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", values: 24)
        for place in whole.indices {
            for bit in 0..<8 {
                var bytes = whole
                bytes[place] ^= 1 << bit
                _ = fault(bytes)
            }
            #expect(fault(Array(whole.prefix(place))) != nil)
        }
    }
}
