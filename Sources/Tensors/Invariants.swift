/// Stops the program with a message where a caller broke a rule of the public face.
///
/// This module is compiled with `-Ounchecked`, under which the compiler takes a `precondition` for
/// granted instead of checking it; a wrong shape would then read or write memory outside of a
/// tensor. These checks stay in release builds. They cost a few comparisons per call, and nothing
/// that a person types reaches them: whoever takes shapes from a file or a prompt checks them
/// first and reports a mistake with a sentence.
@inline(__always)
package func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}
