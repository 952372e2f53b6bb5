import Foundation
import JSON
import TestSupport
import Testing

@testable import ChatTemplates
@testable import Tokenizers

private struct ChatCase: Decodable {
    struct Message: Decodable {
        var role: String
        var content: String
    }
    var template: String
    var source: String
    var messages: [Message]
    var addGenerationPrompt: Bool
    var extra: [String: String]
    var bos: String
    var eos: String
    var rendered: String?
    var error: String?

    enum CodingKeys: String, CodingKey {
        case template, source, messages, extra, rendered, error
        case addGenerationPrompt = "add_generation_prompt"
        case bos = "bos_token"
        case eos = "eos_token"
    }
}

/// The output of a template, or the sentence of its error.
func rendered(
    _ source: String, _ variables: [String: JSON] = [:],
    messages: [ChatMessage] = [ChatMessage(role: "user", content: "hi")]
) -> String {
    do {
        return try ChatTemplate(source).render(messages: messages, variables: variables)
    } catch {
        return "\(error)"
    }
}

/// Templates in the style of three families: Tests/Fixtures/README.md.
@Suite struct PublishedChatTests {
    @Test func renderingsAndRefusalsAreThoseOfTransformers() throws {
        let cases = try Fixture.lines("chat/cases.jsonl", as: ChatCase.self)
        #expect(cases.count > 50)
        for item in cases {
            let template = try ChatTemplate(item.source)
            var variables = item.extra.mapValues { JSON.string($0) }
            variables["bos_token"] = .string(item.bos)
            variables["eos_token"] = .string(item.eos)
            let messages = item.messages.map { ChatMessage(role: $0.role, content: $0.content) }
            func render() throws -> String {
                try template.render(
                    messages: messages, addGenerationPrompt: item.addGenerationPrompt,
                    variables: variables)
            }
            if let expected = item.rendered {
                #expect(sameBytes(try render(), expected), "\(item.template)")
            } else {
                #expect(throws: TemplateError.refused(message: item.error ?? "")) {
                    try render()
                }
            }
        }
    }
}

/// Each line was checked against jinja2 3.1.6 as transformers 4.57.6 sets it up.
@Suite struct ChatTemplateTests {
    private static let variables: [String: JSON] = [
        "i": 5, "j": -3, "f": 2.5, "n": nil, "s": "Hello, wörld", "l": [3, 1, 2],
        "m": ["b", "a", "C", "a"], "d": ["b": 1, "a": [1, 2]],
        "dd": [["r": "x", "v": 2], ["r": "y", "v": 1], ["r": "x", "v": 3]],
    ]

    private static let expressions: [(String, String)] = [
        ("i // 2 ~ j // 2 ~ j % 3 ~ 2 ** 10", "2-201024"),
        ("i / 2 ~ ' ' ~ 1e16 ~ ' ' ~ (0.1 + 0.2)", "2.5 1e+16 0.30000000000000004"),
        ("i < 6 < 7 and not i > 6", "True"),
        ("n or 'x'", "x"),
        ("[1, 'a\\n', none, 1.5, (1,), {'k': true}]", "[1, 'a\\n', None, 1.5, (1,), {'k': True}]"),
        (
            "s[0] ~ s[-1] ~ s[1:3] ~ s[::-1]",
            "Hdeldlröw ,olleH"
        ),
        ("l[::2] ~ l[-2:] ~ l[9]", "[3, 2][1, 2]"),
        ("d.b ~ d['a'] ~ d.get('z', 4) ~ d.z", "1[1, 2]4"),
        ("zz is defined ~ zz is none", "FalseFalse"),
        ("'b' in d and 1 in l and 'x' not in s", "True"),
        ("1 if zz is defined else 2", "2"),
        ("1 if false", ""),
        ("dd | selectattr('r', 'equalto', 'x') | map(attribute='v') | join('+')", "2+3"),
        ("m | unique | list ~ m | sort(reverse=true)", "['b', 'a', 'C']['C', 'b', 'a', 'a']"),
        ("d | dictsort", "[('a', [1, 2]), ('b', 1)]"),
        (
            "d | tojson ~ d | tojson(indent=1)",
            "{\"b\": 1, \"a\": [1, 2]}{\n \"b\": 1,\n \"a\": [\n  1,\n  2\n ]\n}"
        ),
        ("'<é\"\\u2028' | tojson", "\"<é\\\"\u{2028}\""),
        ("'a  b c '.split() ~ 'a,b,c'.rsplit(',', 1)", "['a', 'b', 'c']['a,b', 'c']"),
        ("' x '.strip() ~ s.upper() ~ s.startswith(('x', 'H'))", "xHELLO, WÖRLDTrue"),
        ("'it\\'s a-b' | title ~ \"it's\".title()", "It's A-BIt'S"),
        ("2.5 | round ~ 2.675 | round(2) ~ ('12' | int + 1)", "2.02.6713"),
        ("'a\\nb' | indent(2, true) ~ 'x' | default('y') ~ zz | default('y')", "  a\n  bxy"),
        ("range(2, 8, 3) | list ~ l | batch(2) | list", "[2, 5][[3, 1], [2]]"),
        ("1 + (2 ~ 3) | int * 2 ** 3", "185"),
        ("{'a': {'b': [1, 2]}}.a.b[1] ~ '}}'", "2}}"),
        ("'é' == 'e\u{301}'", "False"),
        ("'e\u{301}' | length", "2"),
    ]

    @Test(arguments: expressions)
    func expressionsAreWorthWhatTheyAreInJinja(_ expression: String, _ expected: String) {
        let result = rendered("{{ \(expression) }}", Self.variables)
        #expect(sameBytes(result, expected), "\(result.debugDescription)")
    }

    private static let statements: [(String, String)] = [
        (
            "{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}{{ x }}{{ loop.last }} {% endfor %}",
            "1/23False 2/22True "
        ),
        ("{% for x in [] %}{% else %}none{% endfor %}", "none"),
        ("{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "b=1;a=[1, 2];"),
        ("{% set x = 1 %}{% for y in l %}{% set x = x + y %}{{ x }}{% endfor %}{{ x }}", "4231"),
        (
            "{% set ns = namespace(x=0) %}{% for y in l %}{% set ns.x = ns.x + y %}{% endfor %}{{ ns.x }}",
            "6"
        ),
        ("{% set q | upper %}a{{ i }}{% endset %}{{ q }}", "A5"),
        (
            "{% macro m(a, b=2, c=a) %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}",
            "[121][123]"
        ),
        (
            "{% macro f(n) %}{% if n %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
            "321"
        ),
        (
            "{% macro w() %}<{{ caller(2) }}>{% endmacro %}{% call(x) w() %}{{ x + i }}{% endcall %}",
            "<7>"
        ),
        (
            "{% for x in range(9) %}{% if x == 1 %}{% continue %}{% elif x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}",
            "023"
        ),
        ("a{%- generation -%} x {% endgeneration %}b", "ax b"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{% filter upper %}a{% endfilter %}{% with x = 1 %}{{ x }}{% endwith %}", "A1"),
        // Blanks before a block at the start of its line are removed, and so is the line end after
        // the block.
        ("a\n  {% if true %}\n b\n  {% endif %}\nc\n", "a\n b\nc"),
        ("a  {%- if true -%}  b  {%- endif %}  c", "ab  c"),
        ("  {%+ if true +%}\nb{% endif %}", "  \nb"),
        ("x {# c #}\ny {#- c -#} z", "x yz"),
        ("{{ messages[0].content }}{{ tools is none }}{{ add_generation_prompt }}", "hiTrueTrue"),
    ]

    @Test(arguments: statements)
    func statementsDoWhatTheyDoInJinja(_ source: String, _ expected: String) {
        let result = rendered(source, Self.variables)
        #expect(sameBytes(result, expected), "\(result.debugDescription)")
    }

    private static let failures: [(String, String)] = [
        (
            "{{ raise_exception('Roles must alternate') }}",
            "the chat template refuses these messages: Roles must alternate"
        ),
        (
            "a\n{% if %}",
            "the chat template cannot be read: line 2: an expression was expected, not %}"
        ),
        (
            "{% for x in l %}",
            "the chat template cannot be read: line 1: {% endfor %} is missing at the end of the template"
        ),
        (
            "{{ 1",
            "the chat template cannot be read: line 1: a tag is never closed by }}"
        ),
        ("{% wat %}", "the chat template cannot be read: line 1: unknown statement “wat”"),
        (
            "\n\n{{ x.y }}",
            "the chat template failed on line 3: “x” is undefined"
        ),
        (
            "{{ 'a' + 1 }}",
            "the chat template failed on line 1: “+” does not work on a text and a whole number"
        ),
        ("{{ 1 // 0 }}", "the chat template failed on line 1: division by zero"),
        (
            "{% set _ = messages.append(1) %}",
            "the chat template failed on line 1: “append” would change a list, which templates may not"
        ),
        (
            "{% include 'x' %}",
            "the chat template uses {% include %} on line 1, which is not supported"
        ),
        (
            "{{ 1 | nosuch }}",
            "the chat template uses the filter “nosuch” on line 1, which is not supported"
        ),
        (
            "{{ 9223372036854775807 + 1 }}",
            "the chat template failed on line 1: a number is too large"
        ),
    ]

    @Test(arguments: failures)
    func whatCannotBeDoneIsSaidWithItsLine(_ source: String, _ expected: String) {
        #expect(rendered(source) == expected)
    }

    @Test func theDateIsTheOneGiven() throws {
        let template = try ChatTemplate("{{ strftime_now('%d %b %Y') }}")
        let noon = try #require(
            DateComponents(
                calendar: Calendar(identifier: .gregorian), year: 2024, month: 7, day: 26, hour: 12
            ).date)
        #expect(try template.render(messages: [], now: noon) == "26 Jul 2024")
    }

    @Test func partsOfMessagesAndToolsCanBeAnyValue() throws {
        let template = try ChatTemplate(
            "{% for m in messages %}{{ m.content[0].text }}{{ m.tool_calls | tojson }}{% endfor %}")
        let messages = try JSON.read(
            #"[{"role": "user", "content": [{"text": "é"}], "tool_calls": [{"id": 1}]}]"#)
        #expect(try template.render(messages: messages) == #"é[{"id": 1}]"#)
    }
}

/// Templates from strangers: for every content, rendering ends soon, in text or in a sentence.
@Suite struct HostileTemplateTests {
    private static let endless: [String] = [
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{{ m(n) ~ m(n) }}{% endmacro %}{{ m(1) }}",
        "{% set n = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}",
        "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s }}",
        "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s == n.s }}",
        "{% set n = namespace(s=[1]) %}{% for i in range(99999) %}{% set n.s = [n.s] %}{% endfor %}",
        "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{{ 'x' * 999999999999 }}", "{{ [0] * 999999999999 }}", "{{ 'x'.center(99999999999) }}",
        "{{ 'x' | indent(99999999999) }}", "{{ 2 ** 9999999999 }}", "{{ range(99999999999) }}",
        "{{ 'x'.replace('', 'y' * 9999999) | replace('', 'z' * 9999999) }}",
        "{{ [1] | batch(99999999999, 1) | list }}", "{{ 1 | tojson(indent=99999999) }}",
        "{{ strftime_now('%9999999d' * 20) }}", "{{ '%' * 9 % 1 }}",
        String(repeating: "(", count: 100_000), "{{ " + String(repeating: "(", count: 100_000),
        "{{ " + String(repeating: "[", count: 100_000),
        "{{ " + String(repeating: "-", count: 100_000),
        "{{ " + String(repeating: "not ", count: 100_000) + "1 }}",
        "{{ 1" + String(repeating: " + 1", count: 100_000) + " }}",
        "{{ 1" + String(repeating: " | abs", count: 100_000) + " }}",
        "{{ a" + String(repeating: ".b", count: 100_000) + " }}",
        "{{ 1" + String(repeating: " if 1 else 1", count: 100_000) + " }}",
        String(repeating: "{% if 1 %}", count: 100_000),
        String(repeating: "{% for x in [1] %}", count: 100_000),
        String(repeating: "x", count: 2_000_000),
    ]

    @Test(arguments: endless.indices)
    func whatWouldNeverEndIsStopped(_ index: Int) {
        let sentence = rendered(Self.endless[index])
        #expect(
            sentence.hasPrefix("the chat template") || Self.endless[index].hasPrefix("(("),
            "\(sentence.prefix(100))")
    }

    @Test func valuesThatHoldOneAnotherAreTakenApartWithoutEnd() {
        // A chain of namespaces, linked from the front; a namespace in itself; macros in
        // namespaces.
        let chain = """
            {% set h = namespace(x=0, l=[]) %}{% for i in range(3000) %}\
            {% set h.l = h.l[:0] + [namespace(x=h.l)] %}{% endfor %}{% set h.h = h %}ok
            """
        #expect(
            rendered(chain).hasPrefix("the chat template was stopped") || rendered(chain) == "ok")
        let macros = """
            {% set h = namespace(f=0) %}{% for i in range(20000) %}{% set g = h.f %}\
            {% macro m() %}{{ g }}{% endmacro %}{% set h.f = m %}{% endfor %}ok
            """
        #expect(rendered(macros) == "ok")
        let linked = """
            {% set h = namespace(f=0) %}{% for i in range(20000) %}{% set n = namespace(p=h.f) %}\
            {% set h.f = n %}{% endfor %}ok
            """
        #expect(rendered(linked) == "ok")
    }

    private static let seedTemplate = """
        {%- macro r(p, d=0) -%}{{ p.type|upper if p.type is defined else 'any' }}{%- endmacro -%}
        {{ bos_token }}{% set ns = namespace(i=0, l=[1, 2.5, 'a\\n']) %}
        {% for m in messages if m.role != "system" %}
          {%- set ns.i = ns.i + 1 %}{# c #}
          {%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('no') }}
          {%- elif m.content is string and 'h' in m.content[::-1] %}[{{ m.content | trim ~ ns.l | tojson }}]
          {%- else %}{{ m.content.split('x', 1)[0].strip() }}{% endif %}
        {% else %}none{% endfor %}{% filter upper %}{{ r({'type': 'x'}) }}{% endfilter %}
        {% raw %}{{ }}{% endraw %}{% set q %}{{ range(5) | select('odd') | map('string') | join(',') }}{% endset %}{{ q }}
        """

    @Test func aThousandMutationsEndInTextOrASentence() {
        var random = SeededGenerator(41)
        let seed = Array(Self.seedTemplate.utf8)
        let words = [
            "{%", "%}", "{{", "}}", "{#", "#}", "-", "|", "(", ")", "[", "]", "'", "\"", "in", "is",
            "not", "~", "**", "//", ".", ":", "99999999999999999999", "loop", "endfor",
            "{% endif %}",
            "{% raw %}", "namespace", "range(99999)", "\\u", "\\", "é", "\u{301}", "\n", "if",
            "else",
        ]
        for _ in 0..<1000 {
            var bytes = seed
            for _ in 0...random.below(4) { random.mutate(&bytes, words: words) }
            _ = rendered(String(decoding: bytes, as: UTF8.self), ["bos_token": "<s>"])
        }
    }
}
