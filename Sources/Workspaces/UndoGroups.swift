/// Undo and redo treat the steps of a block as one.
extension Timeline {
    /// The steps that the next undo reverts, the last one first.
    var nextUndo: [Step] { group(done.reversed()) }

    /// The steps that the next redo repeats, in their order.
    var nextRedo: [Step] { group(undone.reversed()) }

    /// The number of undos that `done` has steps for.
    var undoCount: Int { groupCount(done) }

    var redoCount: Int { groupCount(undone) }

    /// The number of steps that the last `depth` undos would revert.
    func steps(ofUndos depth: Int) -> Int {
        guard depth > 0 else { return 0 }
        var groups = 0
        var last: Int?
        for (place, step) in done.reversed().enumerated() {
            let group = group(of: step)
            if group != last { groups += 1 }
            if groups > depth { return place }
            last = group
        }
        return done.count
    }

    private func group(of step: Step) -> Int { statement(step.sequence)?.block ?? step.sequence }

    private func group(_ steps: ReversedCollection<[Step]>) -> [Step] {
        guard let first = steps.first else { return [] }
        let wanted = group(of: first)
        return Array(steps.prefix { group(of: $0) == wanted })
    }

    private func groupCount(_ steps: [Step]) -> Int {
        var count = 0
        var last: Int?
        for step in steps {
            let group = group(of: step)
            if group != last { count += 1 }
            last = group
        }
        return count
    }
}

extension Timeline {
    /// The names that the statements of a block have changed, as they were before it; nil for a
    /// name that had no value.
    func names(beforeBlock block: Int) -> [String: BindingInfo?] {
        var names: [String: BindingInfo?] = [:]
        for step in done where statement(step.sequence)?.block == block {
            for change in step.changes where names[change.name] == nil {
                names.updateValue(change.before.map(resolved), forKey: change.name)
            }
        }
        return names
    }
}
