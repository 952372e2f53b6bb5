@testable import HDF5Objects

func array(_ values: [Float], _ shape: [Int]) throws -> StoredValue {
    .array(try StoredArray(values, shape: shape))
}
