// The fields in which two versions of an object differ.
import fc from "fast-check";
import { expect, test } from "vitest";
import { changesBetween, withoutSecrets } from "../../../api/explanation/field-changes.ts";
import { sameJson } from "../../../api/hash.ts";

const container = (name: string, image: string) => ({ name, image });
test.each<[what: string, before: object, after: object, changes: readonly unknown[]]>([
  ["a value", { spec: { n: 1 } }, { spec: { n: 2 } }, [["spec.n", 1, 2]]],
  ["a field that is new", { spec: {} }, { spec: { n: 2 } }, [["spec.n", undefined, 2]]],
  ["a field that is gone", { spec: { n: [1] } }, { spec: {} }, [["spec.n", [1], undefined]]],
  [
    "an item of a list by its name",
    { c: [container("a", "1"), container("b", "1")] },
    { c: [container("b", "2")] },
    [
      ["c[name=a]", container("a", "1"), undefined],
      ["c[name=b].image", "1", "2"],
    ],
  ],
  [
    "the same items in another order",
    { c: [{ name: "a" }, { name: "b" }] },
    { c: [{ name: "b" }, { name: "a" }] },
    [["c", ["a", "b"], ["b", "a"]]],
  ],
  ["items without names", { args: ["a", "b"] }, { args: ["a", "c"] }, [["args[1]", "b", "c"]]],
  [
    "a key that is no identifier",
    { metadata: { labels: { "a.b/c": "1" } } },
    { metadata: { labels: { "a.b/c": "2" } } },
    [['metadata.labels["a.b/c"]', "1", "2"]],
  ],
  ["what every write changes", { metadata: { resourceVersion: "1", managedFields: [1] } }, { metadata: {} }, []],
])("%s", (_, before, after, changes) => {
  const found = changesBetween(before, after).map((c) => [c.path, c.before, c.after]);
  expect(found).toEqual(changes);
});

test("equal values have no changes, others have some, and back they are the same changes reversed", () => {
  const json = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.jsonValue({ maxDepth: 3 }));
  fc.assert(
    fc.property(json, json, (before, after) => {
      const there = changesBetween(before, after);
      expect(there.length === 0).toBe(sameJson(before, after));
      const back = changesBetween(after, before).map((c) => JSON.stringify([c.path, c.after, c.before]));
      expect(there.map((c) => JSON.stringify([c.path, c.before, c.after])).sort()).toEqual(back.sort());
    }),
  );
});

test("values of secrets are lengths, also in the manifest that was applied", () => {
  const applied = { "kubectl.kubernetes.io/last-applied-configuration": '{"stringData":{"token":"12345"}}' };
  const token = btoa("12345");
  const before = { data: { token }, metadata: { labels: { a: "1" } } };
  const after = { data: { token, other: btoa("x") }, metadata: { labels: { a: "2" }, annotations: applied } };
  const hidden = withoutSecrets(changesBetween(before, after));
  expect(hidden).toContainEqual({ path: "metadata.labels.a", before: "1", after: "2" });
  expect(hidden).toContainEqual({ path: "data.other", after: "1 bytes" });
  expect(JSON.stringify(hidden)).not.toContain("12345");
  const allHidden = withoutSecrets([{ path: "data", after: { token } }]);
  expect(allHidden).toEqual([{ path: "data", after: { token: "5 bytes" } }]);
});
