// The page about the command line has a row for every command line that is compared, also where there is no kubectl.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseSections } from "../kubectl/comparison/lines.ts";
import { agreementOf, changesBetween, differences, type Outcome } from "../kubectl/comparison/outcome.ts";
import { cellOf } from "../kubectl/comparison/table.ts";

const read = (path: string): string => readFileSync(join(import.meta.dirname, "../..", path), "utf8");

test("every command line has a row", () => {
  const sections = parseSections(read("test/kubectl/comparison/commands.txt"));
  const expected = sections.flatMap(({ title, lines }) => [`## ${title}`, ...lines.map(({ line }) => cellOf(line))]);
  const page = read("docs/command-line.md").split("\n");
  const rows = page.map((row) => /^## .*$|(?<=^\| )`.*?`(?= \|)/.exec(row)?.[0]).filter((row) => row !== undefined);
  expect(rows).toEqual(expected);
});
test("sections, commands and reasons are read", () => {
  const text = "# comment\n\n## one\nk get pods\n    the reason\nk get a | b\n\n## two\n# comment\nk version\n";
  expect(parseSections(text)).toEqual([
    {
      title: "one",
      lines: [
        { line: "k get pods", reason: "the reason" },
        { line: "k get a | b", reason: undefined },
      ],
    },
    { title: "two", lines: [{ line: "k version", reason: undefined }] },
  ]);
});

const outcome = (more: Partial<Outcome>): Outcome => ({ code: 0, out: "", err: "", changes: new Map(), ...more });
const sameInAll = { code: true, objects: true, output: true };

test("what no two runs share is not compared, nor is the program's name", () => {
  const a = outcome({ out: "orrery 127.0.0.1:31234 2026-01-02T03:04:05Z /tmp/orrery-edit-aBc1.yaml" });
  const b = outcome({ out: "kubectl 127.0.0.1:45678 2026-12-02T03:04:06Z /tmp/kubectl-edit-123.yaml" });
  expect(agreementOf(a, b)).toEqual(sameInAll);
});
test("exit codes, objects and output are compared", () => {
  const a = outcome({ code: 1, out: "a\nb", changes: new Map([["pods/x", "deleted"]]) });
  expect(agreementOf(a, outcome({}))).toEqual({ code: false, objects: false, output: false });
  expect(differences(a, outcome({ out: "a\nc" }))).toEqual([
    "- exit code 1",
    "- b",
    "- pods/x: deleted",
    "+ exit code 0",
    "+ c",
  ]);
  expect(differences(outcome({ out: "a\nb" }), outcome({ out: "b\na" }))).toEqual(["- a", "+ b"]);
});
test("changes are new, changed and deleted objects", () => {
  const before = new Map([
    ["a", "1"],
    ["b", "1"],
    ["c", "1"],
  ]);
  const after = new Map([
    ["b", "2"],
    ["c", "1"],
    ["d", "1"],
  ]);
  expect([...changesBetween(before, after)]).toEqual([
    ["b", "2"],
    ["d", "1"],
    ["a", "deleted"],
  ]);
});
