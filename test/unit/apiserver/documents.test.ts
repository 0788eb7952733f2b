// Request documents: strict decoding errors and syntax errors.
import fc from "fast-check";
import { expect, test } from "vitest";
import { deployments } from "../../../api/apps/deployments.ts";
import { schemaOf } from "../../../api/schema.ts";
import { syntaxError, strictErrors, untyped } from "../../../apiserver/documents/json-syntax.ts";
import { inOrder, readYaml, unmarshalErrors } from "../../../apiserver/documents/yaml.ts";

const pods = schemaOf("io.k8s.api.core.v1.Pod");
const inPod: readonly (readonly [string, string, readonly string[]])[] = [
  ["nothing wrong", '{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}', []],
  ["at the top", '{"metdata":{}}', ['unknown field "metdata"']],
  ["in an item", '{"spec":{"containers":[{},{"imagee":1}]}}', ['unknown field "spec.containers[1].imagee"']],
  ["in metadata", '{"metadata":{"unknownMeta":"foo"}}', ['unknown field "metadata.unknownMeta"']],
  ["fields inside an unknown field are not reported", '{"x":{"a":1,"a":2}}', ['unknown field "x"']],
  ["an unknown field is reported once", '{"x":1,"x":2}', ['unknown field "x"']],
  ["a key of a map, twice", '{"metadata":{"labels":{"a":"1","a":"2"}}}', ['duplicate field "metadata.labels.a"']],
  ["a field, three times", '{"kind":"Pod", "kind" : "Pod","kind":"Pod"}', ['duplicate field "kind"']],
  [
    "in the order of the text",
    '{"spec":{"hostname":"a","zzz":1,"hostname":"b","aaa":2}}',
    ['unknown field "spec.zzz"', 'duplicate field "spec.hostname"', 'unknown field "spec.aaa"'],
  ],
  ["an escaped name is the same name", '{"kind":"a","\\u006bind":"b"}', ['duplicate field "kind"']],
  [
    "strings with escapes and brackets",
    '{"metadata":{"name":"a\\\\\\",{[}]:","x":"\\\\"}}',
    ['unknown field "metadata.x"'],
  ],
  [
    "spaces and empty lists",
    ' {\n "spec" : { "containers" : [ ] , "volumes":[] , "x" : null } } ',
    ['unknown field "spec.x"'],
  ],
  ["managed fields are not decoded strictly", '{"metadata":{"managedFields":[{"fieldsV1":{"f:x":{},"f:x":{}}}]}}', []],
];
for (const [what, text, expected] of inPod)
  test(`strict: ${what}`, () => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(strictErrors(text, pods)).toEqual(expected);
  });
test("strict: without a schema only duplicate fields are reported", () =>
  expect(strictErrors('{"a":{"b":[{"c":1,"c":2}],"b":1}}', untyped)).toEqual([
    'duplicate field "a.b[0].c"',
    'duplicate field "a.b"',
  ]));
test("strict: at most a hundred errors are reported", () => {
  const many = `{${Array.from({ length: 150 }, (_, i) => `"x${i}":1`).join(",")}}`;
  expect(strictErrors(many, pods)).toHaveLength(100);
});
test("strict: serialized JSON has no duplicate fields", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(strictErrors(JSON.stringify(JSON.parse(text)), untyped)).toEqual([]);
    }),
  );
});

const misfits: readonly (readonly [string, string])[] = [
  ["", "unexpected end of JSON input"],
  ['{"a":', "unexpected end of JSON input"],
  ["x", "invalid character 'x' looking for beginning of value"],
  ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ["[1 2]", "invalid character '2' after array element"],
  ["[1,]", "invalid character ']' looking for beginning of value"],
  ['{"a":1}}', "invalid character '}' after top-level value"],
  ["-x", "invalid character 'x' in numeric literal"],
  ["1.x", "invalid character 'x' after decimal point in numeric literal"],
  ["1ex", "invalid character 'x' in exponent of numeric literal"],
  ["trve", "invalid character 'v' in literal true (expecting 'u')"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u12x4"', "invalid character 'x' in \\u hexadecimal character escape"],
];
for (const [text, expected] of misfits)
  test(`syntax: ${JSON.stringify(text)}`, () => expect(syntaxError(text)).toBe(expected));

const twice = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  replicas: 2
  template:
    spec:
      containers:
      - name: a
        image: one
        image: two
      containers:
      - name: b
`;
test("yaml: duplicate keys are reported by line, inner before outer", () => {
  const { twice: found, value } = readYaml(twice);
  expect(found).toEqual([
    'line 7: key "replicas" already set in map',
    'line 13: key "image" already set in map',
    'line 15: key "containers" already set in map',
  ]);
  expect(value).toMatchObject({ spec: { replicas: 2 } });
  expect(unmarshalErrors(found.slice(0, 1))).toBe(
    'yaml: unmarshal errors:\n  line 7: key "replicas" already set in map',
  );
});
test("yaml: keys are sorted, and so are errors", () =>
  expect(JSON.stringify(inOrder({ b: [{ d: 1, c: 2 }], a: null }))).toBe('{"a":null,"b":[{"c":2,"d":1}]}'));
test("strict: a valid deployment has no errors", () =>
  expect(strictErrors('{"spec":{"paused":true,"selector":{"matchLabels":{"a":"b"}}}}', deployments.schema)).toEqual(
    [],
  ));
