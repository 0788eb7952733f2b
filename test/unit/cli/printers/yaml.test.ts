// YAML, JSON and KYAML have the bytes of kubectl 1.36, from which the expected texts were taken.
import { expect, test } from "vitest";
import { compactJson, indentedJson } from "../../../../cli/printers/json.ts";
import { kyamlText } from "../../../../cli/printers/kyaml.ts";
import { compareKeys, yamlText } from "../../../../cli/printers/yaml.ts";

const long = "a long string with many words that will certainly go beyond the eighty columns of libyaml's emitter";
const scalars: readonly (readonly [value: unknown, yaml: string])[] = [
  ["", '""'],
  ["a", "a"],
  ["true", '"true"'],
  ["Yes", '"Yes"'],
  ["n", '"n"'],
  ["null", '"null"'],
  ["~", '"~"'],
  ["1", '"1"'],
  ["0x1f", '"0x1f"'],
  ["1_000", '"1_000"'],
  ["08", '"08"'],
  ["1e400", "1e400"],
  ["1:30", '"1:30"'],
  ["2026-11-30T01:02:03Z", '"2026-11-30T01:02:03Z"'],
  ["2026-11-31", "2026-11-31"],
  [".5", '".5"'],
  ["=", "="],
  ["<<", "<<"],
  ["-", "'-'"],
  ["- a", "'- a'"],
  ["a: b", "'a: b'"],
  ["a:b", "a:b"],
  ["a #b", "'a #b'"],
  ["it's: x", "'it''s: x'"],
  ["'q", "'''q'"],
  [" lead", "' lead'"],
  ["tab\there", '"tab\\there"'],
  ["😀", '"\\U0001F600"'],
  ["é", "é"],
  ["multi\nline", "|-\n  multi\n  line"],
  ["multi\nline\n", "|\n  multi\n  line"],
  ["a\n\n", "|+\n  a\n"],
  [" x\ny", "|2-\n   x\n  y"],
  ["line \ntrail", '"line \\ntrail"'],
  ["100m", "100m"],
  ["1Gi", "1Gi"],
  [1.5, "1.5"],
  [1e-7, "1e-07"],
  [12345678.5, "1.23456785e+07"],
  [3e8, "300000000"],
  [null, "null"],
  [{}, "{}"],
  [[], "[]"],
  [long, "a long string with many words that will certainly go beyond the eighty columns of\n  libyaml's emitter"],
  [
    `${long}: x`,
    "'a long string with many words that will certainly go beyond the eighty columns of\n  libyaml''s emitter: x'",
  ],
];
test.each(scalars)("the YAML of %j", (value, yaml) => expect(yamlText(value)).toBe(`${yaml}\n`));

const value = {
  apiVersion: "v1",
  kind: "X",
  metadata: { labels: { on: "y", "app/name": "true" }, name: "x" },
  list: [{ b: 1, a: [1, [2]] }, "s", [], { c: {} }],
  "multi\nkey": { d: 1 },
  text: "one\n  two\n",
};

test("maps are sorted, and lists are not indented", () => {
  expect(yamlText(value)).toBe(`apiVersion: v1
kind: X
list:
- a:
  - 1
  - - 2
  b: 1
- s
- []
- c: {}
metadata:
  labels:
    app/name: "true"
    "on": "y"
  name: x
? |-
  multi
  key
: d: 1
text: |
  one
    two
`);
});

test("KYAML quotes strings and folds those of several lines", () => {
  expect(kyamlText(value)).toBe(`---
{
  apiVersion: "v1",
  kind: "X",
  list: [
    {
      a: [
        1,
        [
          2,
        ],
      ],
      b: 1,
    },
    "s",
    [],
    {
      c: {},
    },
  ],
  metadata: {
    labels: {
      app/name: "true",
      "on": "y",
    },
    name: "x",
  },
  "multi\\nkey": {
    d: 1,
  },
  text: "\\
     one\\n\\
    \\  two\\n\\
    ",
}
`);
});

test("JSON escapes what HTML reserves", () => {
  expect(indentedJson({ b: "<a>&", a: [], c: {}, d: [1] })).toBe(
    '{\n    "a": [],\n    "b": "\\u003ca\\u003e\\u0026",\n    "c": {},\n    "d": [\n        1\n    ]\n}',
  );
  expect(compactJson({ b: [1, "x"], a: null })).toBe('{"a":null,"b":[1,"x"]}');
});

test("numbers in keys are compared by value", () => {
  const keys = ["v1", "b10", "b2", "B", "v1beta1", "v1alpha2", ".", "a-b", "ab", "10", "9", "a01", "a1"];
  expect(keys.toSorted(compareKeys)).toEqual([
    ".",
    "9",
    "10",
    "B",
    "a-b",
    "a1",
    "a01",
    "ab",
    "b2",
    "b10",
    "v1",
    "v1alpha2",
    "v1beta1",
  ]);
});
