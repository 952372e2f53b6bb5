/// Numbers for people. Written without the C library's formatting: it follows the locale that a
/// terminal host must set, and would turn 0.5 into "0,5".
package enum NumberText {
    /// The shortest digits that read back as the same number: `0.1`, `0.30000000000000004`,
    /// `9007199254740991`, `1e-05`, `nan`.
    package static func exact(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        if let whole = Int(exactly: value) { return "\(whole)" }
        return "\(value)"
    }

    /// Shortest form with at most `digits` significant digits: `0.3`, `12`, `1.2e-05`, `nan`.
    package static func significant(_ value: Double, digits: Int = 7) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        if value == 0 { return "0" }
        if value == value.rounded(), value.magnitude <= 9_007_199_254_740_992 {
            return "\(Int(value))"
        }
        let exponent = decimalExponent(value.magnitude)
        if exponent >= 15 || exponent < -4 {
            return scientific(value, digits: digits)
        }
        return trimmingZeros(fixed(value, decimals: min(15, max(0, digits - 1 - exponent))))
    }

    /// Exactly `decimals` digits after the point: `-1.250`.
    package static func fixed(_ value: Double, decimals: Int) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded(.toNearestOrEven)
        guard scaled < 9e18 else { return scientific(value, digits: decimals + 1) }
        let whole = Int64(scaled)
        let unit = Int64(scale)
        var text = "\(whole / unit)"
        if decimals > 0 {
            let fraction = "\(whole % unit)"
            text += "." + String(repeating: "0", count: decimals - fraction.count) + fraction
        }
        return value < 0 && whole != 0 ? "-" + text : text
    }

    /// The same with a plus sign for a number that is not shown as zero: `+0.12`, `-0.12`, `0.00`.
    package static func signed(_ value: Double, decimals: Int) -> String {
        let text = fixed(value, decimals: decimals)
        let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
        return value > 0 && !isZero ? "+" + text : text
    }

    /// `1.25e-07`.
    static func scientific(_ value: Double, digits: Int) -> String {
        if !value.isFinite || value == 0 { return significant(value) }
        // The inverse of a power of ten below the normal numbers is infinite.
        if value.magnitude < 1e-300 { return "\(value)" }
        var exponent = decimalExponent(value.magnitude)
        var mantissa = value.magnitude / powerOfTen(exponent)
        // Dividing by a power of ten rounds; 9.9999999 must not be shown as 10.
        let decimals = max(0, digits - 1)
        if (mantissa * powerOfTen(decimals)).rounded() >= powerOfTen(decimals + 1) {
            exponent += 1
            mantissa = value.magnitude / powerOfTen(exponent)
        }
        let sign = value < 0 ? "-" : ""
        let power = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
        return sign + trimmingZeros(fixed(mantissa, decimals: decimals))
            + (exponent < 0 ? "e-" : "e+") + power
    }

    /// `66.7 %`; `<0.1 %` for a share that is not zero but would look like it.
    package static func percent(_ share: Double, decimals: Int = 1) -> String {
        let text = fixed(share * 100, decimals: decimals)
        if share > 0, text.allSatisfy({ $0 == "0" || $0 == "." }) {
            return "<" + fixed(1 / powerOfTen(decimals), decimals: decimals) + " %"
        }
        return text + " %"
    }

    /// `950 bytes`, `3.4 MB`
    package static func bytes(_ count: Int) -> String {
        var value = Double(count)
        if value < 1000 { return count == 1 ? "1 byte" : "\(count) bytes" }
        for unit in ["kB", "MB", "GB", "TB"] {
            value /= 1000
            if value < 999.5 || unit == "TB" {
                return significant(value, digits: 3) + " " + unit
            }
        }
        return "\(count) bytes"
    }

    /// `0.42 s`, `1:07`, `2:03:10`
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
        if seconds < 0.0995 { return significant(seconds * 1000, digits: 2) + " ms" }
        if seconds < 59.95 { return significant(seconds, digits: seconds < 10 ? 2 : 3) + " s" }
        let whole = Int(seconds.rounded())
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }

    /// `1,234,567`
    package static func grouped(_ count: Int) -> String {
        var digits = Array(String(count.magnitude))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return (count < 0 ? "-" : "") + String(digits)
    }

    /// `1 query`, `12 queries`
    package static func count(_ number: Int, _ singular: String, _ plural: String? = nil) -> String
    {
        "\(grouped(number)) \(number == 1 ? singular : plural ?? singular + "s")"
    }

    private static func trimmingZeros(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = Substring(text)
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return String(text)
    }

    private static func powerOfTen(_ exponent: Int) -> Double {
        // Decimal literals parse to the nearest double; repeated multiplication would accumulate
        // errors.
        Double("1e\(exponent)") ?? 1
    }

    private static func decimalExponent(_ magnitude: Double) -> Int {
        var exponent = 0
        var power = 1.0
        if magnitude >= 1 {
            while exponent < 308, powerOfTen(exponent + 1) <= magnitude { exponent += 1 }
        } else {
            while exponent > -323, power > magnitude {
                exponent -= 1
                power = powerOfTen(exponent)
            }
        }
        return exponent
    }
}
