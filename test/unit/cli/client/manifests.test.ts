// Which objects a manifest has, and the errors in it with their lines.
import { expect, test } from "vitest";
import { parseManifests } from "../../../../cli/client/manifests.ts";

const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

const rows: readonly (readonly [what: string, text: string, names: readonly string[], errors: readonly string[]])[] = [
  ["nothing", "", [], []],
  ["two documents", `${configMap("a")}---\n${configMap("b")}`, ["a", "b"], []],
  ["a separator at the end", `${configMap("a")}---\n`, ["a"], []],
  ["a separator at the beginning", `---\n${configMap("a")}`, ["a"], []],
  ["a document with a comment only", `${configMap("a")}---\n# none\n---\n${configMap("b")}`, ["a", "b"], []],
  ["only comments", "# none\n---\n# none\n", [], []],
  ["a list", `apiVersion: v1\nkind: List\nitems:\n- ${configMap("a").trim().replaceAll("\n", "\n  ")}\n`, ["a"], []],
  ["text", `${configMap("a")}---\nhello\n`, ["a"], ["f:5: is not an object"]],
  ["no kind", "apiVersion: v1\nmetadata: {name: a}\n", [], ["f:1: kind is not set"]],
  ["no name", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", [], ["f:1: metadata.name is not set"]],
];

test.each(rows)("%s", (_, text, names, messages) => {
  const { objects, errors } = parseManifests("f", text);
  expect(objects.map(({ object }) => object.metadata.name)).toEqual(names);
  expect(errors.map(({ file, line, message }) => `${file}:${line}: ${message}`)).toEqual(messages);
});
