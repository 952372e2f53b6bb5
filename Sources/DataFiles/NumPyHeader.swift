/// The header of a `.npy` file: a Python dictionary with three keys, as numpy writes it.
struct NumPyHeader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func parse() throws(NumPyFile.Fault) -> (
        description: String, isColumnMajor: Bool, shape: [Int]
    ) {
        var description: String?
        var isColumnMajor: Bool?
        var shape: [Int]?
        try expect("{")
        while !take("}") {
            let key = try text()
            try expect(":")
            switch key {
            case "descr":
                if peek() == UInt8(ascii: "[") { throw .structured }
                description = try text()
            case "fortran_order": isColumnMajor = try flag()
            case "shape": shape = try tuple()
            default: throw .header
            }
            if !take(",") {
                try expect("}")
                break
            }
        }
        guard peek() == nil, let description, let isColumnMajor, let shape else { throw .header }
        return (description, isColumnMajor, shape)
    }

    /// The next byte that is not a blank.
    private mutating func peek() -> UInt8? {
        while place < bytes.count, [0x20, 0x0A, 0x09].contains(bytes[place]) { place += 1 }
        return place < bytes.count ? bytes[place] : nil
    }

    private mutating func take(_ symbol: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: symbol) else { return false }
        place += 1
        return true
    }

    private mutating func expect(_ symbol: Unicode.Scalar) throws(NumPyFile.Fault) {
        guard take(symbol) else { throw .header }
    }

    /// A text in single or double quotes, without escapes.
    private mutating func text() throws(NumPyFile.Fault) -> String {
        guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw .header
        }
        let start = place + 1
        guard let end = bytes[start...].firstIndex(of: quote),
            let text = String(validating: bytes[start..<end], as: UTF8.self),
            !text.contains("\\")
        else { throw .header }
        place = end + 1
        return text
    }

    private mutating func flag() throws(NumPyFile.Fault) -> Bool {
        _ = peek()
        for (word, value) in [("True", true), ("False", false)]
        where bytes[place...].starts(with: word.utf8) {
            place += word.utf8.count
            return value
        }
        throw .header
    }

    private mutating func tuple() throws(NumPyFile.Fault) -> [Int] {
        var sides: [Int] = []
        try expect("(")
        while !take(")") {
            _ = peek()
            let start = place
            while place < bytes.count, (0x30...0x39).contains(bytes[place]) { place += 1 }
            guard let side = Int(String(decoding: bytes[start..<place], as: UTF8.self)) else {
                throw .header
            }
            sides.append(side)
            if !take(",") {
                try expect(")")
                break
            }
        }
        return sides
    }
}
