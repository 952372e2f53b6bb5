extension World {
    /// The query at an index of a split; the same index and seed give the same query everywhere.
    public func query(kind: QueryKind, split: Split, index: Int, seed: UInt64 = 0) -> Query {
        var random = SplitMix64(
            seed: seed, path: 1, kind == .summary ? 0 : 1, split == .train ? 0 : 1,
            UInt64(bitPattern: Int64(index)))
        let situation = situation(kind: kind, split: split, using: &random)
        return query(situation, id: "\(kind.plural)-\(split.rawValue)-\(index)")
    }

    /// The query for a situation.
    public func query(_ situation: Situation, id: String) -> Query {
        let body = queryTemplates[situation.kind]?.text { situation.value(of: $0) }
        return Query(id: id, situation: situation, body: body ?? "")
    }

    /// Draws a situation of a split.
    public func situation(
        kind: QueryKind, split: Split, using random: inout SplitMix64
    ) -> Situation {
        while true {
            let facts = random.sample(2, of: facts)
            let situation = Situation(
                kind: kind,
                name: names[random.below(names.count)],
                age: ages.lowerBound + random.below(ages.count),
                role: roles[random.below(roles.count)],
                fact: facts[0],
                second: kind == .summary ? facts[1] : nil,
                feeling: feelings[random.below(feelings.count)],
                ask: kind == .summary ? asks[random.below(asks.count)] : nil)
            if situation.split == split { return situation }
        }
    }

    /// The situation that a query's text describes; nil if the text is not of this world. The label
    /// in front is optional, because JSON queries have no label.
    public func situation(of text: String) -> Situation? {
        for kind in QueryKind.allCases {
            var scanner = Scanner(text)
            _ = scanner.take(Bytes(kind.label))
            guard let values = queryTemplates[kind]?.read(&scanner, choices), scanner.isAtEnd,
                let name = values[.name], let age = values[.age].flatMap({ Int($0) }),
                let role = values[.role], let fact = values[.fact], let feeling = values[.feeling]
            else { continue }
            return Situation(
                kind: kind, name: name, age: age, role: role, fact: fact, second: values[.second],
                feeling: feeling, ask: values[.ask])
        }
        return nil
    }
}
