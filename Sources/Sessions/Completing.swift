import CommandLanguage
import Commands
import Foundation
import Values

extension Session {
    /// The completions at a UTF-8 offset of a block: verbs, keys and words of the command table,
    /// names, fields, functions and paths, each with a short description.
    public func completions(in source: String, at cursor: Int) -> CompletionList {
        let grammar = CommandTable.grammar
        var context = grammar.completionContext(for: source, at: cursor)
        // Words and keys depend on the place; functions fit everywhere, so they come last.
        if !context.wants.contains(.verbs) {
            context.wants =
                context.wants.filter { $0.isOfTheVerb } + context.wants.filter { !$0.isOfTheVerb }
        }
        var items: [CompletionItem] = []
        for want in context.wants {
            switch want {
            // A typed place says more than an expression, which fits there too.
            case .names where context.wants.contains(where: \.isTyped): continue
            case .names: items += nameCompletions(context.prefix)
            case .namesOf(let kind): items += nameCompletions(context.prefix, of: kind)
            case .fields(let owner): items += fieldCompletions(of: owner, context.prefix)
            case .items(let owner): items += itemCompletions(of: owner, context)
            case .path: items += pathCompletions(context)
            case .functions: items += constantCompletions(context.prefix)
            case .topics:
                items += Help.topics.filter { $0.word.hasPrefix(context.prefix) }
                    .map { CompletionItem($0.word, .topic, $0.summary) }
            case .verbs, .words, .keys: continue
            }
        }
        items = grammar.candidates(for: context) + items
        var seen: Set<String> = []
        return CompletionList(
            replacing: context.span, items: items.filter { seen.insert($0.text).inserted })
    }

    private func nameCompletions(_ prefix: String) -> [CompletionItem] {
        workspace.names.filter { $0.name.hasPrefix(prefix) && !$0.name.hasPrefix(".") }
            .map { CompletionItem($0.name, .value, $0.kind) }
    }

    /// The values of this kind. A word that begins none of them may lead to one by a field or an
    /// index, so then all names fit.
    private func nameCompletions(_ prefix: String, of kind: String) -> [CompletionItem] {
        let all = nameCompletions(prefix)
        let fitting = all.filter { $0.summary == kind }
        return fitting.isEmpty && !prefix.isEmpty ? all : fitting
    }

    /// The keys of a record and the ids of an object's items.
    private func itemCompletions(
        of owner: Node, _ context: CompletionContext
    ) -> [CompletionItem] {
        guard isCheap(owner), let value = try? Evaluator(environment: self).value(of: owner) else {
            return []
        }
        return value.itemKeys.filter { $0.name.hasPrefix(context.prefix) }.prefix(500)
            .map {
                CompletionItem(context.insertion(key: $0.name), .item, $0.summary, isWhole: false)
            }
    }

    /// Only with a first letter: nobody looks for them in a list of everything.
    private func constantCompletions(_ prefix: String) -> [CompletionItem] {
        Constant.all.filter { !prefix.isEmpty && $0.name.hasPrefix(prefix) }
            .map { CompletionItem($0.name, .constant, $0.summary) }
    }

    /// Fields of an expression's value. An expression is evaluated only if its value is in memory
    /// or quick to read.
    private func fieldCompletions(of owner: Node, _ prefix: String) -> [CompletionItem] {
        guard isCheap(owner), let value = try? Evaluator(environment: self).value(of: owner) else {
            return []
        }
        return value.fieldNames.filter { $0.name.hasPrefix(prefix) }
            .map { CompletionItem($0.name, .field, $0.summary) }
    }

    /// Names, fields and indexes; completion must not compute with a model's weights.
    func isCheap(_ node: Node) -> Bool {
        switch node.expression {
        case .name, .number, .text: true
        case .field(let owner, _), .index(let owner, _): isCheap(owner)
        default: false
        }
    }

    private func pathCompletions(_ context: CompletionContext) -> [CompletionItem] {
        let typed = context.prefix
        let shownFolder: String
        let start: String
        if let slash = typed.lastIndex(of: "/") {
            shownFolder = String(typed[...slash])
            start = String(typed[typed.index(after: slash)...])
        } else {
            shownFolder = ""
            start = typed
        }
        let folder =
            shownFolder.isEmpty
            ? directory : Paths.absolute(shownFolder, in: directory)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            return []
        }
        return names.sorted().filter { name in
            name.hasPrefix(start) && (!name.hasPrefix(".") || start.hasPrefix("."))
        }.prefix(500).map { name in
            var directory: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: (folder as NSString).appendingPathComponent(name), isDirectory: &directory)
            let isFolder = exists && directory.boolValue
            return CompletionItem(
                context.insertion(
                    path: shownFolder + name + (isFolder ? "/" : ""), isFolder: isFolder),
                isFolder ? .folder : .file, isFolder ? "folder" : "file", isWhole: !isFolder)
        }
    }
}

extension CompletionWant {
    /// Whether it wants names of one kind.
    fileprivate var isTyped: Bool {
        if case .namesOf = self { true } else { false }
    }

    /// Whether the command table contains it.
    fileprivate var isOfTheVerb: Bool {
        switch self {
        case .words, .keys: true
        default: false
        }
    }
}
