// Tables have the columns, widths and trailing spaces of kubectl 1.36.
import { expect, test } from "vitest";
import { paintFor } from "../../../../cli/printers/color.ts";
import { objectPrinter } from "../../../../cli/printers/output.ts";
import { alignTabs, describeStyle, rememberingWriter, tableStyle } from "../../../../cli/printers/tab-writer.ts";
import { type ServerTable, type TableOptions, tableText } from "../../../../cli/printers/table.ts";

const table: ServerTable = {
  columnDefinitions: [
    { name: "Name", format: "name", priority: 0 },
    { name: "Ready", priority: 0 },
    { name: "IP", priority: 1 },
  ],
  rows: [
    {
      cells: ["p1", "0/1", null],
      object: { metadata: { name: "p1", namespace: "default", labels: { app: "w", "a/b": "c" } } },
    },
    { cells: ["p2-longer", "one\ntwo", "1.2.3.4"], object: { metadata: { name: "p2-longer", namespace: "x" } } },
  ],
};
const text = (options: TableOptions): string => {
  const { header, rows } = tableText(table, options);
  return rememberingWriter(tableStyle)([header, ...rows]);
};

const cases: readonly (readonly [TableOptions, string])[] = [
  [{}, "NAME        READY\np1          0/1\np2-longer   one...\n"],
  [{ wide: true }, "NAME        READY    IP\np1          0/1      \np2-longer   one...   1.2.3.4\n"],
  [
    { namespaces: true },
    "NAMESPACE   NAME        READY\ndefault     p1          0/1\nx           p2-longer   one...\n",
  ],
  [{ kind: "pod" }, "NAME            READY\npod/p1          0/1\npod/p2-longer   one...\n"],
  [
    { labelColumns: ["app", "a/b"] },
    "NAME        READY    APP   B\np1          0/1      w     c\np2-longer   one...         \n",
  ],
  [
    { showLabels: true },
    "NAME        READY    LABELS\np1          0/1      a/b=c,app=w\np2-longer   one...   <none>\n",
  ],
  [{ event: "ADDED   " }, "EVENT      NAME        READY\nADDED      p1          0/1\nADDED      p2-longer   one...\n"],
];
test.each(cases)("a table with %j", (options, expected) => expect(text(options)).toBe(expected));

test("columns of later batches are at least as wide as before", () => {
  const write = rememberingWriter(tableStyle);
  expect(
    write([
      ["NAME", "AGE"],
      ["p1", "1s"],
    ]),
  ).toBe("NAME   AGE\np1     1s\n");
  expect(write([["a-longer-name", "2s"]])).toBe("a-longer-name   2s\n");
  expect(write([["p1", "3s"]])).toBe("p1              3s\n");
});

test("columns of descriptions end at lines without them", () => {
  expect(alignTabs("A:\tx\nLong name:\ty\nPlain\nB:\tz\n", describeStyle)).toBe(
    "A:          x\nLong name:  y\nPlain\nB:  z\n",
  );
});

test("only terminals get colours, which do not count as width", () => {
  expect(paintFor(["STATUS"], false)).toBeUndefined();
  const write = rememberingWriter(tableStyle, (cell, column) => (column === 0 ? `<${cell}>` : cell));
  expect(
    write([
      ["ab", "x"],
      ["abcd", "y"],
    ]),
  ).toBe("<ab>     x\n<abcd>   y\n");
});

const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", managedFields: [] } };
const deployments = {
  apiVersion: "v1",
  kind: "List",
  items: [{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" } }],
};
const printed: readonly (readonly [output: string, object: unknown, text: string])[] = [
  ["name", pod, "pod/p\n"],
  ["name", deployments, "deployment.apps/d\n"],
  ["yaml", pod, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n"],
  [
    "json",
    { type: "ADDED", object: pod },
    '{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"managedFields":[],"name":"p"}}}\n',
  ],
  ["jsonpath={.metadata.name}", pod, "p"],
];
test.each(printed)("-o %s", async (output, object, expected) =>
  expect((await objectPrinter({ output }))(object)).toBe(expected),
);

test("documents of YAML are separated", async () => {
  const print = await objectPrinter({ output: "yaml" });
  expect(print({ a: 1 }) + print({ a: 2 })).toBe("a: 1\n---\na: 2\n");
});

const refused: readonly (readonly [output: string, message: string])[] = [
  [
    "foo",
    'unable to match a printer suitable for the output format "foo", allowed formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml',
  ],
  ["jsonpath", "template format specified but no template given"],
  ["jsonpath={.x", "error parsing jsonpath {.x, unclosed action"],
  ["jsonpath-file=/nope", "error reading --template /nope, open /nope: no such file or directory"],
  ["go-template={{.kind}}", "go-template needs kubectl: use -o jsonpath or -o json | jq"],
];
test.each(refused)("-o %s is refused", async (output, message) =>
  expect(objectPrinter({ output })).rejects.toThrow(message),
);
