import CommandLanguage
import HDF5Objects
import Rendering
import Values

/// A function that a user has defined: `f(a, b) = expression`. Names that are no parameters have
/// the values that they have when it is called.
struct FunctionObject: StorableObject, CallableObject {
    static let kind = "function"

    let parameters: [String]
    let body: Node
    /// `(a, b) = expression`
    let source: String

    package init(_ definition: FunctionDefinition) {
        parameters = definition.parameters.map(\.name)
        body = definition.body
        source = definition.source
    }

    static let fields: [Field<FunctionObject>] = [
        Field("parameters", "the names of its values") { Value($0.parameters) },
        Field("source", "its definition, without its name") { .text($0.source) },
    ]

    var summary: String { TextWidth.oneLine(source) }

    func document(_ appearance: Appearance) -> Document { Document("function: " + source) }

    func display(_ appearance: Appearance) -> Display { textDisplay(appearance) }

    var jsonValue: Value {
        .record(["parameters": Value(parameters), "source": .text(source)])
    }

    func stored() throws -> StoredValue { .record(["source": .text(source)]) }

    static func restored(_ value: StoredValue) throws -> FunctionObject {
        let program = CommandTable.grammar.parse("f" + (value["source"]?.textValue ?? ""))
        guard program.diagnostics.isEmpty, program.statements.count == 1,
            case .function(let definition) = program.statements[0].body
        else {
            throw StorageError(kind: kind, problem: "its definition has errors")
        }
        return FunctionObject(definition)
    }
}

extension Value {
    /// The value of a function's definition.
    package init(_ definition: FunctionDefinition) {
        self = .object(FunctionObject(definition))
    }
}
