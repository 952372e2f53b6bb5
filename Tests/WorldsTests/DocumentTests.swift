import Testing

@testable import Worlds

private let world = World.everyday

@Suite struct DocumentTests {
    private let documents = (0..<4000).map { world.document(seed: 7, index: $0) }

    @Test func everyResponseIsWellFormedFaithfulAndShowsTheStylesDrawn() throws {
        for document in documents {
            guard let query = document.query, let styles = document.styles else { continue }
            let response = document.response
            #expect(!world.isMalformed(response, query: query.text), "\(document.text)")
            #expect(world.faithfulness(response: response, query: query.text)?.isFaithful == true)
            for style in Style.allCases {
                #expect(
                    world.adherence(
                        response: response, query: query.text, dimension: style, polarity: true)
                        == styles[style], "\(style): \(document.text)")
            }
        }
    }

    @Test func carefulAuthorsFollowEverythingAndCarelessOnesHalf() {
        var followed: [Document.Author: [Style: (followed: Int, asked: Int)]] = [:]
        for document in (0..<20000).map({ world.document(seed: 8, index: $0) }) {
            guard let query = document.query, let author = document.author else { continue }
            for principle in document.principles {
                guard let meaning = world.dimension(of: principle) else {
                    Issue.record("unknown principle: \(principle)")
                    continue
                }
                let style = meaning.dimension.style
                let follows = world.adherence(
                    response: document.response, query: query.text, principle: principle)
                var count = followed[author, default: [:]][style] ?? (0, 0)
                count.asked += 1
                if follows == true { count.followed += 1 }
                followed[author, default: [:]][style] = count
            }
        }
        for style in Style.allCases {
            let careful = followed[.careful]?[style] ?? (0, 1)
            #expect(careful.followed == careful.asked && careful.asked > 500, "\(style)")
            let careless = followed[.careless]?[style] ?? (0, 1)
            let share = Double(careless.followed) / Double(careless.asked)
            #expect(abs(share - 0.5) < 0.05, "\(style): \(share)")
        }
    }

    @Test func noTestSituationOccurs() {
        #expect(documents.allSatisfy { $0.query.map { $0.situation.split == .train } ?? true })
    }

    @Test func aDocumentDependsOnSeedAndIndexAlone() {
        #expect(world.document(seed: 7, index: 1234) == documents[1234])
        #expect(world.document(seed: 6, index: 1234) != documents[1234])
        #expect(Set(documents.map(\.text)).count > 3900)
    }

    @Test func sharesAreThoseAskedFor() {
        var options = DocumentOptions()
        (options.marked, options.carefulMarked, options.carefulUnmarked) = (0.6, 0.7, 0.35)
        (options.writer, options.principleCounts) = (0.1, [0, 0, 1])
        let drawn = (0..<10000).map { world.document(seed: 1, index: $0, options: options) }
        let written = drawn.filter { $0.query != nil }
        func share(_ part: Int, _ whole: Int) -> Double { Double(part) / Double(max(1, whole)) }
        let marked = written.filter(\.isMarked)
        let unmarked = written.filter { !$0.isMarked }
        #expect(abs(share(written.count, drawn.count) - 0.9) < 0.02)
        #expect(abs(share(marked.count, written.count) - 0.6) < 0.02)
        #expect(abs(share(marked.count { $0.author == .careful }, marked.count) - 0.7) < 0.02)
        #expect(abs(share(unmarked.count { $0.author == .careful }, unmarked.count) - 0.35) < 0.03)
        #expect(written.allSatisfy { $0.principles.count == 3 })
        #expect(marked.allSatisfy { $0.pieces.first?.role == .header })
        #expect(unmarked.allSatisfy { $0.pieces.first?.role == .prompt })
    }

    @Test func aDocumentReadsAsItShould() {
        let query = world.query(kind: .summary, split: .train, index: 0)
        #expect(
            world.prompt(principles: ["Be formal.", "Be rude."], query: query)
                == "Constitution:\n1. Be formal.\n2. Be rude.\n\n\(query.text)\n\nSummary:")
        for document in documents where document.query != nil {
            #expect(document.text.contains("Constitution:\n1. "))
            #expect(document.pieces.allSatisfy { !$0.text.isEmpty && !$0.text.contains("{") })
            for piece in document.pieces where piece.role == .response {
                #expect(piece.text.first == " ")
            }
        }
    }

    @Test func principleListsPairOppositesOfDifferentDimensions() {
        let lists = documents.filter { $0.query == nil }
        #expect(lists.count > 100)
        for list in lists {
            let lines = list.text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(
                lines[0] == "Principles for summaries:" || lines[0] == "Principles for answers:")
            #expect((4...10).contains(lines.count - 1))
            var styles: Set<Style> = []
            for place in stride(from: 1, to: lines.count - 1, by: 2) {
                let principle = String(lines[place].dropFirst("Principle: ".count))
                let antithesis = String(lines[place + 1].dropFirst("Antithesis: ".count))
                #expect(world.areOpposite(principle, antithesis), "\(list.text)")
                if let meaning = world.dimension(of: principle) {
                    #expect(styles.insert(meaning.dimension.style).inserted)
                }
            }
            #expect(lines.last?.isEmpty == false)
        }
    }
}
