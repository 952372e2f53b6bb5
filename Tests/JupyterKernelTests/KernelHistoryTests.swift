import JSON
import Testing

@testable import JupyterKernel

@Suite struct KernelHistoryTests {
    private var history: KernelHistory {
        var history = KernelHistory(earlier: ["load model default", "x = 1"])
        history.add("x", number: 1, result: "1")
        history.add("y = 2", number: 2, result: nil)
        history.add("x", number: 3, result: "1")
        return history
    }

    private func found(_ content: JSON) -> String {
        history.reply(to: content).first { $0.key == "history" }?.value.compact ?? ""
    }

    @Test(arguments: [
        (#"{"hist_access_type":"tail","n":2}"#, #"[[2,2,"y = 2"],[2,3,"x"]]"#),
        (#"{"hist_access_type":"tail","n":-1}"#, "[]"),
        (
            #"{"hist_access_type":"tail","n":99,"output":true}"#,
            #"[[1,1,["load model default",null]],[1,2,["x = 1",null]],[2,1,["x","1"]],"#
                + #"[2,2,["y = 2",null]],[2,3,["x","1"]]]"#
        ),
        (#"{"hist_access_type":"range","session":2,"start":1,"stop":2}"#, #"[[2,1,"x"]]"#),
        (#"{"hist_access_type":"range","session":0,"start":3}"#, #"[[2,3,"x"]]"#),
        (
            #"{"hist_access_type":"range","session":-1}"#,
            #"[[1,1,"load model default"],[1,2,"x = 1"]]"#
        ),
        (#"{"hist_access_type":"range","session":-9223372036854775808}"#, "[]"),
        (#"{"hist_access_type":"search","pattern":"x*","n":2}"#, #"[[2,1,"x"],[2,3,"x"]]"#),
        (#"{"hist_access_type":"search","pattern":"?","unique":true}"#, #"[[2,3,"x"]]"#),
        (#"{"hist_access_type":"search","pattern":"*model*"}"#, #"[[1,1,"load model default"]]"#),
    ])
    func `entries are found by their access`(request: String, wanted: String) throws {
        #expect(found(try JSON.read(request)) == wanted)
    }

    @Test func `a request of wrong types finds what it can`() throws {
        #expect(found(try JSON.read(#"{"n":"a","hist_access_type":[]}"#)).hasPrefix("[[1,1"))
        #expect(found(try JSON.read(#"{"hist_access_type":"search","pattern":7}"#)).hasPrefix("["))
    }

    @Test(arguments: [
        ("", "", true), ("", "a", false), ("*", "", true), ("a*c", "abbc", true),
        ("a*c", "abcd", false), ("*a*b*", "xxaxxbxx", true), ("?ö", "aö", true),
        ("**", "abc", true), ("a?", "a", false),
    ])
    func `patterns match as in the shell`(pattern: String, text: String, matches: Bool) {
        #expect(Glob(pattern).matches(text) == matches)
    }

    @Test func `a pattern of many stars takes no time`() {
        let text = String(repeating: "a", count: 2_000)
        #expect(!Glob(String(repeating: "a*", count: 1_000) + "b").matches(text))
    }
}
