// JSONPath in kubectl's dialect; expected texts and errors are those of kubectl 1.36.
import { expect, test } from "vitest";
import { customCells, customColumns, customColumnsFile } from "../../../../cli/printers/custom-columns.ts";
import { JsonPath } from "../../../../api/jsonpath/evaluate.ts";
import { goSyntax } from "../../../../api/jsonpath/go-text.ts";
import { relaxedPath } from "../../../../api/jsonpath/parse.ts";
import { pathJson, pathText } from "../../../../cli/printers/jsonpath.ts";
import { compareNaturally, sortByField } from "../../../../cli/printers/sort.ts";

const list = {
  kind: "List",
  items: [
    {
      kind: "Pod",
      metadata: { name: "a", labels: { app: "x", "k8s.io/n": "1" } },
      spec: {
        containers: [
          { name: "c", n: 1, f: 1.5 },
          { name: "d", n: 2 },
        ],
      },
    },
    { kind: "Pod", metadata: { name: "b" }, spec: { containers: [] }, x: null },
    { kind: "Svc", metadata: { name: "c" }, tags: ["p", "q", "r", "s"], spec: { s: "<a>&" } },
  ],
};

const texts: readonly (readonly [template: string, text: string])[] = [
  ["{.kind}", "List"],
  ["{$.kind}", "List"],
  ["text", "text"],
  [".kind", ".kind"],
  ["{.items[*].metadata.name}", "a b c"],
  ["{.items[0].metadata.name}{' - '}{.items[-1].kind}", "a - Svc"],
  ["{.items[0:2].metadata.name}", "a b"],
  ["{.items[::2].metadata.name}", "a c"],
  ["{.items[0,2].metadata.name}", "a c"],
  ["{.items[0]['kind','metadata']}", 'Pod {"labels":{"app":"x","k8s.io/n":"1"},"name":"a"}'],
  ["{.items[0].metadata.labels.k8s\\.io/n}", "1"],
  ["{.items[0].metadata.labels['k8s\\.io/n']}", "1"],
  ['{.items[?(@.kind=="Svc")].tags[1:3]}', "q r"],
  ["{.items[0].spec.containers[?(@.n>1)].name}", "d"],
  ["{.items[?(@.metadata.labels)].metadata.name}", "a"],
  ["{.items[?(@.metadata.name!='a')].metadata.name}", "b c"],
  ['{.items[?(@.metadata.labels.app=="x")].metadata.name}', "a"],
  ["{..name}", "a c d b c"],
  ["{.items[2].spec}", '{"s":"\\u003ca\\u003e\\u0026"}'],
  ["{.items[2].spec.s}", "<a>&"],
  ["{.items[0].spec.containers[0].f}", "1.5"],
  ["{.items[1].x}", ""],
  ["{.missing}", ""],
  ['{range .items[*]}{.metadata.name}{"\\t"}{.kind}{"\\n"}{end}!', "a\tPod\nb\tPod\nc\tSvc\n!"],
  ["{range .items[*]}{range .spec.containers[*]}{.name},{end};{end}", "c,d,;;;"],
  ["{range .none[*]}x{end}y", "y"],
  ['{true}{1}{"\\x41"}', "true1A"],
];
test.each(texts)("%s", (template, text) => expect(pathText(new JsonPath(template, true), list)).toBe(text));

const errors: readonly (readonly [template: string, message: string])[] = [
  ["{.x", "unclosed action"],
  ["{.items[0}", "unterminated array"],
  ["{.items[a]}", "invalid array index a"],
  ["{.items[?(@.a}", "unterminated filter"],
  ['{"x}', "unterminated quoted string"],
  ["{....a}", "invalid multiple recursive descent"],
  ["{%}", "unrecognized character in action: U+0025 '%'"],
  ["{foo}", "unrecognized identifier foo"],
  ["{end}", "not in range, nothing to end"],
  ["{.missing}", "missing is not found"],
  ["{.kind[0]}", "string is not array or slice"],
  ["{.items[9]}", "array index out of bounds: index 9, length 3"],
  ["{.items[2:1]}", "starting index 2 is greater than ending index 1"],
  ["{.items[?(@.kind>1)]}", "incompatible types for comparison"],
];
test.each(errors)("%s is refused", (template, message) =>
  expect(() => pathText(new JsonPath(template, false), list)).toThrow(new Error(message)),
);

test("each part as JSON", () => {
  expect(pathJson(new JsonPath("{.items[*].metadata.name}", true), list)).toBe('[\n    "a",\n    "b",\n    "c"\n]\n');
});

test("objects in Go's syntax", () => {
  expect(goSyntax({ b: [1, null, true], a: 'x"' })).toBe(
    'map[string]interface {}{"a":"x\\"", "b":[]interface {}{1, interface {}(nil), true}}',
  );
});

test.each(["metadata.name", ".metadata.name", "{metadata.name}", "{.metadata.name}"])("%s is relaxed", (text) =>
  expect(relaxedPath(text)).toBe("{.metadata.name}"),
);

test("custom columns", () => {
  const columns = customColumns("NAME:.metadata.name,C:.spec.containers[*].name,L:.metadata.labels,X:.x");
  expect(columns.map(({ header }) => header)).toEqual(["NAME", "C", "L", "X"]);
  expect(list.items.map((item) => customCells(item, columns))).toEqual([
    ["a", "c,d", "map[app:x k8s.io/n:1]", "<none>"],
    ["b", "<none>", "<none>", "<nil>"],
    ["c", "<none>", "<none>", "<none>"],
  ]);
  expect(customColumnsFile("A  B\n.kind .metadata.name\n").map(({ header }) => header)).toEqual(["A", "B"]);
});

test.each([
  ["", "custom-columns format specified but no custom columns given"],
  ["A", "unexpected custom-columns spec: A, expected <header>:<json-path-expr>"],
  ["A:.x[", "unterminated array"],
])("custom columns %j are refused", (spec, message) => expect(() => customColumns(spec)).toThrow(message));

test("sorting puts those without the field first, and compares numbers and quantities by value", () => {
  const sorted = (values: readonly unknown[]) => sortByField(values, ".v", (v) => (v === undefined ? {} : { v }));
  expect(sorted(["b10", undefined, "b2", "a"])).toEqual([undefined, "a", "b2", "b10"]);
  expect(sorted(["1Gi", "500Mi", "2Ki"])).toEqual(["2Ki", "500Mi", "1Gi"]);
  expect(sorted([3, 1, 2])).toEqual([1, 2, 3]);
  expect(() => sorted([undefined])).toThrow(`couldn't find any field with path "{.v}" in the list of objects`);
  expect(["x10", "x9", "x", "y1"].toSorted(compareNaturally)).toEqual(["x", "x9", "x10", "y1"]);
});
