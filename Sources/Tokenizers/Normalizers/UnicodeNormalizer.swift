import Foundation

/// The four normalization forms of Unicode (UAX #15), as of Unicode 9.
///
/// That is the version whose tables the `tokenizers` package normalizes by, and a tokenizer's ids
/// depend on it. Normalization of characters that are in both versions never changes between
/// versions; those that came later are left as they are and nothing composes with them.
struct UnicodeNormalizer: Normalizer {
    enum Form: String, CaseIterable, Sendable {
        case nfc = "NFC"
        case nfd = "NFD"
        case nfkc = "NFKC"
        case nfkd = "NFKD"

        /// Below this no character changes, moves or composes with one before it.
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

    /// Dashes and quotes are all that most English texts hold beyond Latin letters.
    private func isAffected(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= form.firstAffected && !(0x2012...0x2016).contains(scalar.value)
            && !(0x2018...0x2022).contains(scalar.value)
    }

    private func append(_ scalars: inout String.UnicodeScalarView, to bytes: inout [UInt8]) {
        guard !scalars.isEmpty else { return }
        let text = String(scalars)
        scalars = String.UnicodeScalarView()
        // Marks that come out of a decomposition (U+0F73, U+FF9E) are put in order by a second one.
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
    /// Whether a version of Unicode has the character.
    func isAssigned(by version: (major: Int, minor: Int)) -> Bool {
        properties.age.map { $0 <= version } ?? false
    }
}
