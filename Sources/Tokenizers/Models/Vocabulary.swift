/// The tokens of a model and their ids. Ids may leave gaps.
struct Vocabulary: Sendable {
    /// Larger ids are refused: a table over all ids must stay small for every file.
    static let largestID = (1 << 22) - 1

    private var table: ByteTable
    private var idOfNumber: [Int32] = []
    private var numberOfID: [Int32] = []

    var count: Int { table.count }
    /// The largest id plus one.
    var idLimit: Int { numberOfID.count }

    init(expecting count: Int = 0) {
        table = ByteTable(expecting: count)
    }

    init(_ field: Field) throws {
        let members = try field.members()
        self.init(expecting: members.count)
        for member in members {
            let id = try Field(member.value, path: "").id(of: member.key, in: field.path)
            if let other = token(Int32(id)) {
                throw TokenizerError.sharedID(id: id, first: other, second: member.key)
            }
            insert(member.key, id: id)
        }
    }

    /// Tokens whose ids are their positions. Throws for duplicates.
    init(_ tokens: [String]) throws {
        self.init(expecting: tokens.count)
        for (id, token) in tokens.enumerated() {
            if let first = self.id(token) {
                throw TokenizerError.badSentencePiece(
                    problem: "pieces \(first) and \(id) are both “\(token.prefix(40))”")
            }
            insert(token, id: id)
        }
    }

    /// Adds a token. The id must be in range and free.
    private mutating func insert(_ token: String, id: Int) {
        let (number, isNew) = table.insert(Array(token.utf8))
        guard isNew else { return }
        idOfNumber.append(Int32(id))
        if numberOfID.count <= id {
            numberOfID += [Int32](repeating: -1, count: id + 1 - numberOfID.count)
        }
        numberOfID[id] = Int32(number)
    }

    /// Whether `▁` is a token and no token contains it after another character.
    var holdsMarksInFrontOnly: Bool {
        guard id("\u{2581}") != nil else { return false }
        return (0..<table.count).allSatisfy { number in
            let token = table[number]
            guard token.contains(0xE2) else { return true }
            let bytes = Array(token)
            var place = 0
            while Self.isMark(bytes, place, before: bytes.count) { place += 3 }
            return !(place..<bytes.count).contains {
                Self.isMark(bytes, $0, before: bytes.count)
            }
        }
    }

    /// Whether there is a `▁` at a place.
    static func isMark(_ bytes: [UInt8], _ place: Int, before end: Int) -> Bool {
        place + 2 < end && bytes[place] == 0xE2 && bytes[place + 1] == 0x96
            && bytes[place + 2] == 0x81
    }

    func id(_ bytes: [UInt8], _ range: Range<Int>) -> Int32? {
        table.find(bytes, range).map { idOfNumber[$0] }
    }

    func id(_ token: String) -> Int32? {
        table.find(Array(token.utf8)).map { idOfNumber[$0] }
    }

    func token(_ id: Int32) -> String? {
        guard id >= 0, Int(id) < numberOfID.count, numberOfID[Int(id)] >= 0 else { return nil }
        return String(decoding: table[Int(numberOfID[Int(id)])], as: UTF8.self)
    }
}
