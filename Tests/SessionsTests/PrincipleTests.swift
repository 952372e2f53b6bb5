import Testing

@testable import Sessions

/// Principles typed by hand.
@Suite struct PrincipleTests {
    @Test func `a pair is added at the end, and undo takes it back`() throws {
        let bench = try Workbench()
        try bench.output(#"principle "Be brief." not "Be long.""#)
        try bench.output(#"x = "Be " + "kind."; principle (x) not 'Be "cruel".'"#)
        #expect(
            try bench.text("principles") == """
                   principle  antithesis
                0  Be brief.  Be long.
                1  Be kind.   Be "cruel".
                """)
        try bench.output("undo")
        #expect(try bench.text("len(principles)") == "1")
        try bench.output(#"mine = principle "A." not "B.""#)
        #expect(try bench.text("[len(mine), len(principles)]") == "[2, 1]")
    }

    @Test func `a pair beside pairs about summaries is about summaries too`() throws {
        let bench = try Workbench()
        let pair = #"{"principle": "A.", "antithesis": "B.", "form": "post"}"#
        try bench.output("principles = [\(pair)]; principle \"C.\" not \"D.\"")
        #expect(try bench.text("principles[1].form") == "post")
        try bench.output(#"principles[0] = {"principle": "A.", "antithesis": "B."}"#)
        try bench.output(#"principle "E." not "F.""#)
        #expect(try bench.text("len(principles)") == "3")
        #expect(bench.complaint("principles[2].form").contains("form"))
    }

    @Test(arguments: [
        (#"principle "A." not "A.""#, "the opposite is the same sentence"),
        (#"principle " " not "A.""#, "a sentence is needed, not an empty text"),
        (#"principle "A." not ''"#, "a sentence is needed, not an empty text"),
        (#"principle "Be brief." not "B.""#, "has this sentence already, at index 0"),
        (#"principle "A.""#, "`principle` needs"), (#"principle "A." "B.""#, "`not`"),
        (#"principle "A.""#, "needs the word `not`"),
        (#"principle 1 not 2"#, "text"), ("principle", "`principle` needs"),
    ])
    func `a pair that is none is refused`(source: String, complaint: String) throws {
        let bench = try Workbench()
        try bench.output(#"principle "Be brief." not "Be long.""#)
        #expect(bench.complaint(source).contains(complaint), "\(bench.complaint(source))")
        #expect(try bench.text("len(principles)") == "1")
    }

    @Test func `a pair takes the place of another`() throws {
        let bench = try Workbench()
        try bench.output(
            #"principle "Be brief." not "Be long."; principle "Be kind." not "Be rude.""#)
        try bench.output(#"principle "Be calm." not "Be loud." at=0"#)
        #expect(try bench.output("principles.count").value?.asInteger == 2)
        #expect(try bench.text("principles[0]").contains("Be calm."))
        // The sentence of the pair itself may stay.
        try bench.output(#"principle "Be calm." not "Be very loud." at=0"#)
        #expect(
            bench.complaint(#"principle "Be kind." not "Be mean." at=0"#)
                .contains("has this sentence already, at index 1"))
        #expect(bench.complaint(#"principle "A b." not "C d." at=2"#).contains("`principles`"))
    }
}
