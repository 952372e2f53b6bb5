/// A name of a number that every session knows. A value of the user's own under the same name comes
/// before it.
package struct Constant: Sendable {
    package let name: String
    package let summary: String
    let value: Double

    package static let all = [
        Constant(name: "pi", summary: "half the circumference of the unit circle", value: .pi),
        Constant(name: "inf", summary: "larger than every number", value: .infinity),
        Constant(name: "nan", summary: "no number: the result of 0 times inf", value: .nan),
    ]

    static func named(_ name: String) -> Constant? { all.first { $0.name == name } }
}
