import Alignment
import HDF5Objects
import Tokenizers
import Values
import Workspaces

/// The origin of values according to the journal: the statement that made a model's weights, and
/// whether the inputs of a statement belong together.
extension Workspace {
    /// The first binding of a value: another name for it, `m = model`, leads back to the statement
    /// that made it.
    func origin(of info: BindingInfo) -> BindingInfo {
        var info = info
        while let digest = info.digest,
            let same = statement(info.sequence)?.inputs.first(where: {
                $0.kind == info.kind && $0.digest == digest && $0.sequence < info.sequence
            })
        {
            info = same
        }
        return info
    }

    /// The input of a kind that a value was made from. A part of a list has the origin of the list.
    func source(of info: BindingInfo, kind: String) -> BindingInfo? {
        var info = info
        while let inputs = statement(info.sequence)?.inputs {
            if let source = inputs.first(where: { $0.kind == kind }) { return source }
            let whole = inputs.first { $0.kind == info.kind && $0.sequence < info.sequence }
            guard let whole else { return nil }
            info = whole
        }
        return nil
    }

    /// A value that a statement bound, if it is still stored.
    func read(_ kind: String, boundBy sequence: Int) -> StoredObject? {
        let info = statement(sequence)?.bound.first { $0.kind == kind }
        guard let digest = info?.digest, isStored(digest) else { return nil }
        return try? read(digest: digest)
    }
}

extension CommandContext {
    /// A sentence for each inconsistent input: a name whose value was made from another value of a
    /// second name than the statement has read under that name.
    package func stalenessNotes(of inputs: [String]) -> [String] {
        inputs.flatMap { name -> [String] in
            guard let info = workspace.binding(name), !isLoaded(name) else { return [] }
            return (sources[info.kind] ?? []).compactMap { kind in
                guard let source = workspace.source(of: info, kind: kind),
                    inputs.contains(source.name), let now = workspace.binding(source.name),
                    now.sequence != source.sequence,
                    now.digest == nil || now.digest != source.digest
                else { return nil }
                return "`\(name)` were made from `\(source.name)` of statement "
                    + "\(source.sequence); `\(source.name)` is now of statement \(now.sequence)"
            }
        }
    }

    /// Kinds of value that a verb takes together with a value of their origin.
    private var sources: [String: [String]] {
        [
            RolloutsObject.kind: [ModelObject.kind],
            ConstitutionsObject.kind: [QueriesObject.kind],
            GradientsObject.kind: [RolloutsObject.kind],
        ]
    }

    /// Whether a name is bound to rollouts that no model has sampled.
    private func isLoaded(_ name: String) -> Bool {
        let rollouts = (try? value(of: name))?.object(RolloutsObject.self)?.rollouts
        return rollouts.map { $0.settings == nil } ?? false
    }

    /// The state of the optimizer whose step made a model's weights: the statement that bound the
    /// model also bound the state. Nil for a model that no optimizer step has made; `isLost` for a
    /// model whose state is no longer stored.
    func optimizer(of model: ModelObject) -> (object: OptimizerObject?, isLost: Bool) {
        let kind = OptimizerObject.kind
        guard let number = model.madeBy,
            workspace.statement(number)?.bound.contains(where: { $0.kind == kind }) == true
        else { return (nil, false) }
        if workspace.binding(kind)?.sequence == number,
            let object = (try? value(of: kind))?.object(OptimizerObject.self)
        {
            return (object, false)
        }
        let object = workspace.read(kind, boundBy: number).flatMap {
            try? OptimizerObject.restored($0.value)
        }
        return (object, object == nil)
    }
}

extension CommandResult {
    /// Records in new models the statement that made them, and the log of their training.
    package mutating func sign(_ number: Int) {
        guard number > 0 else { return }
        let log = bindings.lazy.compactMap { $0.value.object(LogObject.self) }.first
        func signed(_ value: Value) -> Value {
            guard case .object(var model as ModelObject) = value, model.madeBy == nil else {
                return value
            }
            model.madeBy = number
            model.log = log
            return .object(model)
        }
        for index in bindings.indices { bindings[index].value = signed(bindings[index].value) }
        value = value.map(signed)
    }
}

extension Value {
    /// A value read from a workspace, with the facts that only the journal has.
    package init(_ stored: StoredObject, of info: BindingInfo, in workspace: Workspace) throws {
        self = try Value(stored)
        switch self {
        case .object(var model as ModelObject):
            let number = workspace.origin(of: info).sequence
            model.madeBy = number
            model.log = workspace.read(LogObject.kind, boundBy: number).flatMap {
                try? LogObject.restored($0.value)
            }
            self = .object(model)
        case .object(let groups as ConstitutionsObject)
        where ConstitutionsObject.namesPlaces(stored.value):
            // An older workspace. The journal tells which list the places refer to.
            guard let source = workspace.source(of: info, kind: QueriesObject.kind),
                let digest = source.digest, workspace.isStored(digest),
                let object = try? workspace.read(digest: digest),
                let list = try? QueriesObject.restored(object.value)
            else { return }
            self = .object(groups.naming(list.queries))
        default: break
        }
    }
}

/// The model that a value was made from.
struct ModelReference: Sendable, Codable, Hashable {
    /// The name of the model.
    var name: String
    /// The statement that made its weights.
    var statement: Int
}
