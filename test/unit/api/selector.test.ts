import fc from "fast-check";
import { expect, test } from "vitest";
import { parseFieldSelector } from "../../../api/field-selector.ts";
import { parseLabelSelector } from "../../../api/label-selector.ts";
import { type Labels, matches, requirementsOf, selects, selectorText } from "../../../api/selector.ts";

/** Whether the selector matches the labels, or its parse error. */
function matchText(text: string, labels: Labels): boolean | string {
  const parsed = parseLabelSelector(text);
  return "wrong" in parsed ? parsed.wrong : matches(parsed.requirements, labels);
}

const table: readonly (readonly [
  selector: string,
  labels: Readonly<Record<string, string>>,
  matched: boolean | string,
])[] = [
  ["", {}, true],
  ["app=web", { app: "web" }, true],
  ["app==web", { app: "web" }, true],
  ["app=web", {}, false],
  ["app!=web", {}, true],
  ["app!=web", { app: "web" }, false],
  ["app in (web,api),tier notin (cache)", { app: "api" }, true],
  ["app in (web,api),tier notin (cache)", { app: "api", tier: "cache" }, false],
  ["app", { app: "" }, true],
  ["!app", { app: "" }, false],
  ["! app", {}, true],
  ["size>3", { size: "4" }, true],
  ["size>3", { size: "3" }, false],
  ["size<3", {}, false],
  ["size>3", { size: "many" }, false],
  ["size>9007199254740992", { size: "9007199254740993" }, true],
  ["app=", { app: "" }, true],
  ["app=,tier", { app: "", tier: "x" }, true],
  ["app in ()", { app: "" }, true],
  ["app in (web,)", { app: "" }, true],
  ["app in (,web)", { app: "web" }, true],
  ["app in (a,,b)", { app: "" }, true],
  ["app in (a,b)", { app: "" }, false],
  ["app notin (a)", {}, true],
  [" app \t=\n web ", { app: "web" }, true],
  ["app=in", { app: "in" }, true],
  ["in in (in)", { in: "in" }, true],
  ["notin", { notin: "" }, true],
  ["example.com/app=web,", { "example.com/app": "web" }, "found '', expected: identifier after ','"],
  ["example.com/app=web", { "example.com/app": "web" }, true],
];
for (const [selector, labels, matched] of table)
  test(`label selector: "${selector}" ${matched === true ? "matches" : "does not match"} ${JSON.stringify(labels)}`, () =>
    expect(matchText(selector, labels)).toBe(matched));

const valid = "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const part = `name part must consist of ${valid} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`;
const value = `a valid label must be an empty string or consist of ${valid} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;
const wrongLabels = [
  ["a=b=c", "found '=', expected: ',' or 'end of string'"],
  ["a in b", "unable to parse requirement: found 'b' expected: '('"],
  ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
  ["a in (b,", "unable to parse requirement: found '', expected: ',', or identifier"],
  ["a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"],
  ["a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
  ["in (a)", "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt"],
  ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ["a=(b)", "unable to parse requirement: found '(', expected: identifier"],
  ["a,,b", "found ',', expected: identifier after ','"],
  ["a,", "found '', expected: identifier after ','"],
  [",a", "found ',', expected: !, identifier, or 'end of string'"],
  ["=x", "found '=', expected: !, identifier, or 'end of string'"],
  ["!", "unable to parse requirement: found '', expected: identifier"],
  ["!a=b", "found '=', expected: ',' or 'end of string'"],
  ["-a", `unable to parse requirement: <nil>: Invalid value: "-a": ${part}`],
  ["a=-", `unable to parse requirement: values[0][a]: Invalid value: "-": ${value}`],
  [
    "a>b",
    `unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`,
  ],
] as const;
for (const [text, wrong] of wrongLabels)
  test(`label selector: "${text}" is invalid`, () => expect(matchText(text, {})).toBe(wrong));

test("label selector: a missing selector matches nothing, an empty one everything", () => {
  expect(selects(undefined, { a: "b" })).toBe(false);
  expect(selects({}, { a: "b" })).toBe(true);
});

const name = fc.stringMatching(/^[a-z]{1,5}$/);
const selector = fc.record({
  matchLabels: fc.dictionary(name, name, { maxKeys: 3 }),
  matchExpressions: fc.array(
    fc.oneof(
      fc.record({
        key: name,
        operator: fc.constantFrom("In", "NotIn"),
        values: fc.array(name, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ key: name, operator: fc.constantFrom("Exists", "DoesNotExist") }),
    ),
    { maxLength: 3 },
  ),
});
const texts = [
  [{ matchLabels: { b: "1", a: "2" } }, "a=2,b=1"],
  [{ matchExpressions: [{ key: "a", operator: "In", values: ["1"] }] }, "a in (1)"],
  [{ matchExpressions: [{ key: "a", operator: "NotIn", values: ["2", "1"] }] }, "a notin (1,2)"],
  [
    {
      matchLabels: { m: "1" },
      matchExpressions: [
        { key: "z", operator: "Exists" },
        { key: "a", operator: "DoesNotExist" },
      ],
    },
    "!a,m=1,z",
  ],
  [{}, ""],
  [undefined, ""],
] as const;
for (const [selector, text] of texts)
  test(`label selector: formatted as "${text}"`, () => expect(selectorText(selector)).toBe(text));

test("label selector: its text matches the same labels", () => {
  fc.assert(
    fc.property(selector, fc.dictionary(name, name), (s, labels) => {
      expect(matchText(selectorText(s), labels)).toBe(matches(requirementsOf(s), labels));
    }),
  );
});

test("label selector: any input is parsed or refused with a message", () => {
  const scrap = fc.constantFrom("a", "b", "in", "notin", "=", "==", "!=", "!", "(", ")", ",", ">", " ", "1");
  fc.assert(
    fc.property(fc.array(scrap, { maxLength: 10 }), (scraps) => {
      const parsed = parseLabelSelector(scraps.join(""));
      if ("wrong" in parsed)
        expect(parsed.wrong).toMatch(/^(unable to parse requirement: .+|found '.*', expected: .+)$/);
      else expect(parsed.requirements.length).toBeLessThanOrEqual(scraps.filter((s) => s === ",").length + 1);
    }),
  );
});

const equal = (field: string, value: string) => ({ field, equal: true, value });
const fieldTable = [
  ["", []],
  [",,", []],
  ["spec.nodeName=", [equal("spec.nodeName", "")]],
  ["a==b", [equal("a", "b")]],
  ["b=1,a=2", [equal("a", "2"), equal("b", "1")]],
  ["status.phase!=Running", [{ field: "status.phase", equal: false, value: "Running" }]],
  ["a=b\\,c", [equal("a", "b,c")]],
  ["a=b\\=c\\\\", [equal("a", "b=c\\")]],
  [" a = b ", [equal(" a ", " b ")]],
  ["=b", [equal("", "b")]],
  ["nonsense", "invalid selector: 'nonsense'; can't understand 'nonsense'"],
  ["a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"],
  ["a=b=c", "invalid field selector: unescaped character in value: 61"],
  ["a=\\b", "invalid field selector: invalid escape sequence: \\b"],
  ["a=b\\", "invalid field selector: invalid escape sequence: \\"],
] as const;
for (const [text, expected] of fieldTable)
  test(`field selector: "${text}" ${typeof expected === "string" ? "is invalid" : "is parsed"}`, () => {
    const parsed = parseFieldSelector(text);
    expect("wrong" in parsed ? parsed.wrong : parsed.requirements).toEqual(expected);
  });
test("field selector: every value can be requested when escaped", () => {
  const field = fc.stringMatching(/^[a-z.]{1,8}$/);
  fc.assert(
    fc.property(field, fc.string(), fc.boolean(), (name, value, isEqual) => {
      const text = `${name}${isEqual ? "=" : "!="}${value.replaceAll(/[\\,=]/g, "\\$&")}`;
      expect(parseFieldSelector(text)).toEqual({ requirements: [{ field: name, equal: isEqual, value }] });
    }),
  );
});
