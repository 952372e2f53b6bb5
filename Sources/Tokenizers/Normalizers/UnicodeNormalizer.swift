import Foundation

/// The four normalization forms of Unicode (UAX #15), as of Unicode 9.
///
/// The `tokenizers` package normalizes with the tables of this version, and a tokenizer's ids
/// depend on it. Normalization of characters that are in both versions never changes. Later
/// characters stay unchanged, and nothing composes with them.
struct UnicodeNormalizer: Normalizer {
    enum Form: String, CaseIterable, Sendable {
        case nfc = "NFC"
        case nfd = "NFD"
        case nfkc = "NFKC"
        case nfkd = "NFKD"

        /// No character below this changes, moves or composes with the one before it.
        fileprivate var firstAffected: UInt32 {
            switch self {
            case .nfc: 0x300
            case .nfd: 0xC0
            case .nfkc, .nfkd: 0xA0
            }
        }
    }

    let form: Form

    func apply(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: { $0 >= 0x80 }) else { return bytes }
        let text = String(decoding: bytes, as: UTF8.self).unicodeScalars
        guard text.contains(where: isAffected) else { return bytes }
        var normalized: [UInt8] = []
        normalized.reserveCapacity(bytes.count)
        var known = String.UnicodeScalarView()
        for scalar in text {
            if scalar.value < 0x7C0 || scalar.isAssigned(by: (9, 0)) {
                known.append(scalar)
            } else {
                append(&known, to: &normalized)
                normalized += Array(String(scalar).utf8)
            }
        }
        append(&known, to: &normalized)
        return normalized
    }

    /// Beyond Latin letters, most English texts contain only dashes and quotes.
    private func isAffected(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= form.firstAffected && !(0x2012...0x2016).contains(scalar.value)
            && !(0x2018...0x2022).contains(scalar.value)
    }

    private func append(_ scalars: inout String.UnicodeScalarView, to bytes: inout [UInt8]) {
        guard !scalars.isEmpty else { return }
        let text = String(scalars)
        scalars = String.UnicodeScalarView()
        // Marks from a decomposition (U+0F73, U+FF9E) are ordered by a second pass.
        let normalized =
            switch form {
            case .nfc:
                text.decomposedStringWithCanonicalMapping.precomposedStringWithCanonicalMapping
            case .nfd:
                text.decomposedStringWithCanonicalMapping.decomposedStringWithCanonicalMapping
            case .nfkc:
                text.decomposedStringWithCompatibilityMapping.decomposedStringWithCanonicalMapping
                    .precomposedStringWithCanonicalMapping
            case .nfkd:
                text.decomposedStringWithCompatibilityMapping.decomposedStringWithCanonicalMapping
            }
        bytes += Array(normalized.utf8)
    }
}

extension Unicode.Scalar {
    /// Whether a version of Unicode contains the character.
    func isAssigned(by version: (major: Int, minor: Int)) -> Bool {
        properties.age.map { $0 <= version } ?? false
    }
}
