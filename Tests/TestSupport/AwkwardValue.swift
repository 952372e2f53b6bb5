import Foundation
import HDF5Objects
import NumberTypes

extension StoredValue {
    /// Every element type, rank and awkward text that a value can have.
    public static let awkward: StoredValue = {
        var record: StoredRecord = [
            "nothing": nil, "yes": true, "no": false, "whole": 42, "fraction": 0.1,
            "tiny": .number(.leastNonzeroMagnitude),
            "large": 1.7976931348623157e308, "negative zero": -0.0, "infinite": .number(.infinity),
            "minus infinite": .number(-.infinity), "beyond 2^53": 9_007_199_254_740_993,
            "text": "tab\t line\n quote\" back\\slash NUL\0 bell\u{7} é e\u{301} 漢 👩🏽‍🚀",
            "": "an empty key", "$array": "a key with a dollar", "$$": nil, "$\u{301}": 1,
            "e\u{301}": "decomposed", "é": "composed", "a/b": 1, "..": 2, "%2f": 3,
            "empty list": [], "empty record": [:], "list": [1, "two", [3, [nil]]],
        ]
        var arrays = StoredRecord()
        for type in DType.allCases {
            for shape in [[], [1], [3], [2, 3], [0], [2, 0, 5], [1, 1, 1, 1, 1, 1, 1, 2]] {
                let count = shape.reduce(1, *) * type.size
                let bytes = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) })
                arrays["\(type.rawValue) \(shape)"] =
                    (try? StoredArray(
                        type: type, shape: shape, bytes: bytes)).map(StoredValue.array)
            }
        }
        record["arrays"] = .record(arrays)
        // Keys with a meaning in HDF5, or that could collide with our own names.
        let one = (try? StoredArray([Float(1)], shape: [1])).map(StoredValue.array) ?? nil
        for key in [
            "json", "%json", "a/c", "a", ".", "./", "", "NUL\0", "é", "e\u{301}", "👩🏽‍🚀", " ",
            String(repeating: "long ", count: 300), String(repeating: "long ", count: 301),
        ] {
            record["leaf " + key] = one
            record["group " + key] = .record(StoredRecord([(key, one)]))
        }
        record["json"] = one
        record["in a list"] = .list([one, .record(["deep": .list([one])])])
        return .record(record)
    }()
}
