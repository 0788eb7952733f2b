// Images are made again exactly when something they are made from has changed.
import { describe, expect, test } from "vitest";
import {
  baseTag,
  type ContextFile,
  preloadedTags,
  fingerprint,
  type Recipe,
  recipes,
} from "../../../../cli/cluster/recipes.ts";

const recipe: Recipe = {
  tag: "orrery/web:1",
  folder: "services",
  from: { BUSYBOX: "orrery/busybox:1" },
  args: { VERSION: "1" },
};
const files: readonly ContextFile[] = [
  { path: "Dockerfile", content: "FROM scratch\n" },
  { path: "web.c", content: "int main(void) { return 0; }\n" },
];
const usual = fingerprint(recipe, files, ["abc"]);

test("the order in which a folder is read does not matter", () => {
  expect(fingerprint(recipe, [...files].reverse(), ["abc"])).toBe(usual);
});

describe("the fingerprint changes with", () => {
  const changes = [
    ["a file's content", recipe, [files[0]!, { path: "web.c", content: "int main(void) { return 1; }\n" }], ["abc"]],
    ["a file's name", recipe, [files[0]!, { ...files[1]!, path: "web2.c" }], ["abc"]],
    [
      "a byte that moves from one file to the next",
      recipe,
      [
        { path: "Dockerfile", content: "FROM scratch" },
        { path: "web.c", content: `\n${files[1]!.content}` },
      ],
      ["abc"],
    ],
    ["a parent", recipe, files, ["abd"]],
    ["an argument", { ...recipe, args: { VERSION: "2" } }, files, ["abc"]],
    ["its target", { ...recipe, target: "web" }, files, ["abc"]],
  ] as const;
  for (const [what, of, content, parents] of changes)
    test(what, () => expect(fingerprint(of, content, parents)).not.toBe(usual));
});

test("parents come before their children", () => {
  const known = new Set([baseTag]);
  for (const { tag, from } of recipes) {
    for (const parent of Object.values(from)) expect(known, `${tag} is made from ${parent}`).toContain(parent);
    known.add(tag);
  }
});

test("nodes hold pause and the examples, and not the tools they were made with", () => {
  expect(preloadedTags).toEqual([
    "orrery/pause:1",
    "orrery/busybox:1",
    "orrery/web:1",
    "orrery/web:2",
    "orrery/kv:1",
    "orrery/load:1",
  ]);
});
