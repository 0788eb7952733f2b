// The four ways to change an object: rows that read like the documents that define them, and properties over all of
// them.
import { ApiError } from "../../../api/errors.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { deployments } from "../../../api/apps/deployments.ts";
import { pods } from "../../../api/core/pods.ts";
import { jsonPatched, mergePatched } from "../../../apiserver/registry/patch/patch.ts";
import { strategicPatched } from "../../../apiserver/registry/patch/strategic.ts";

const merges = [
  ["sets a field", { a: "b" }, { a: "c" }, { a: "c" }],
  ["adds a field", { a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  ["null removes", { a: "b", b: "c" }, { a: null }, { b: "c" }],
  ["lists are replaced", { a: ["b"] }, { a: ["c", "d"] }, { a: ["c", "d"] }],
  ["objects are merged", { a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  ["null in a list stays", { a: [1] }, { a: [null] }, { a: [null] }],
  ["a list becomes an object", { a: [1] }, { a: { b: 1 } }, { a: { b: 1 } }],
  ["nothing becomes something, without its nulls", {}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
] as const;
for (const [what, target, patch, result] of merges)
  test(`merge patch: ${what}`, () => expect(mergePatched(target, patch)).toEqual(result));

test("merge patch: twice is once, and nothing is changed in place", () => {
  fc.assert(
    fc.property(fc.object({ withNullPrototype: false }), fc.object(), (target, patch) => {
      const before = JSON.stringify(target);
      const once = mergePatched(target, patch);
      expect(mergePatched(once, patch)).toEqual(once);
      expect(JSON.stringify(target)).toBe(before);
    }),
  );
});

const c = (name: string, image?: string, more: object = {}) => ({ name, ...(image && { image }), ...more });
const inSpec = (spec: object) => ({ spec });
const strategic = [
  [
    "containers are merged by name",
    { containers: [c("a", "1"), c("b", "2")] },
    { containers: [c("b", "3")] },
    { containers: [c("a", "1"), c("b", "3")] },
  ],
  [
    "a new container is added, before those that nothing is said of",
    { containers: [c("a", "1")] },
    { containers: [c("b", "2")] },
    { containers: [c("b", "2"), c("a", "1")] },
  ],
  [
    "a container is deleted by name",
    { containers: [c("a"), c("b")] },
    { containers: [{ name: "a", $patch: "delete" }] },
    { containers: [c("b")] },
  ],
  [
    "a list is replaced",
    { containers: [c("a"), c("b")] },
    { containers: [c("z"), { $patch: "replace" }] },
    { containers: [c("z")] },
  ],
  [
    "an object is replaced",
    { nodeSelector: { a: "1" }, affinity: { x: 1, y: 2 } },
    { affinity: { $patch: "replace", z: 3 } },
    { nodeSelector: { a: "1" }, affinity: { z: 3 } },
  ],
  [
    "an object loses all it had",
    { securityContext: { runAsUser: 1 }, hostname: "h" },
    { securityContext: { $patch: "delete" } },
    { securityContext: {}, hostname: "h" },
  ],
  ["null removes", { hostname: "h", nodeName: "n" }, { hostname: null }, { nodeName: "n" }],
  [
    "atomic lists are replaced",
    { containers: [c("a", "1", { args: ["x", "y"] })] },
    { containers: [c("a", undefined, { args: ["z"] })] },
    { containers: [c("a", "1", { args: ["z"] })] },
  ],
  [
    "tolerations have no key, so they are replaced",
    { tolerations: [{ key: "a" }] },
    { tolerations: [{ key: "b" }] },
    { tolerations: [{ key: "b" }] },
  ],
  [
    "ports are merged by containerPort",
    { containers: [c("a", "1", { ports: [{ containerPort: 80 }] })] },
    { containers: [c("a", undefined, { ports: [{ containerPort: 80, name: "http" }, { containerPort: 81 }] })] },
    { containers: [c("a", "1", { ports: [{ containerPort: 80, name: "http" }, { containerPort: 81 }] })] },
  ],
  [
    "the order asked for is kept",
    { containers: [c("a"), c("b"), c("x")] },
    { "$setElementOrder/containers": [c("b"), c("n"), c("a")], containers: [c("n")] },
    { containers: [c("b"), c("n"), c("a"), c("x")] },
  ],
  [
    "containers that are named come in the order of the patch, the others where they stood",
    { containers: [c("a"), c("b"), c("x")] },
    { containers: [c("x", "1"), c("a", "2")] },
    { containers: [c("b"), c("x", "1"), c("a", "2")] },
  ],
  [
    "what is new has neither words nor nulls in it",
    { hostname: "h" },
    { affinity: { x: 1, y: null, z: { $patch: "delete" } }, volumes: [{ name: "v" }, { $patch: "delete", name: "w" }] },
    { hostname: "h", affinity: { x: 1 }, volumes: [{ name: "v" }] },
  ],
  [
    "retained keys drop their neighbours",
    { volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/" } }] },
    { volumes: [{ $retainKeys: ["name", "hostPath"], name: "v", hostPath: { path: "/x" } }] },
    { volumes: [{ name: "v", hostPath: { path: "/x" } }] },
  ],
] as const;
for (const [what, target, patch, result] of strategic)
  test(`strategic patch: ${what}`, () =>
    expect(strategicPatched(pods.schema, inSpec(target), inSpec(patch))).toEqual(inSpec(result)));

test("strategic patch: members are taken out of a list of names, and put in once", () => {
  const object = { metadata: { finalizers: ["a", "b", "c"] } };
  const patch = { metadata: { "$deleteFromPrimitiveList/finalizers": ["b"], finalizers: ["c", "d"] } };
  expect(strategicPatched(pods.schema, object, patch)).toEqual({ metadata: { finalizers: ["a", "c", "d"] } });
});
test("strategic patch: a strategy keeps only what belongs to its type", () => {
  const object = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } };
  const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
  expect(strategicPatched(deployments.schema, object, patch)).toEqual({ spec: { strategy: { type: "Recreate" } } });
});
const order = "$setElementOrder/containers";
const misused: readonly (readonly [what: string, target: object, patch: object, because: string])[] = [
  [
    "an item without its key",
    { containers: [c("a")] },
    { containers: [{ image: "x" }] },
    "map: map[image:x] does not contain declared merge key: name",
  ],
  [
    "a word that is none",
    { affinity: {} },
    { affinity: { $patch: "drop" } },
    "unknown patch type: drop in map: map[$patch:drop]",
  ],
  [
    "a word that is none, in a list",
    { containers: [c("a")] },
    { containers: [c("a", "", { $patch: "drop" })] },
    "unknown patch type: drop in map: map[$patch:drop name:a]",
  ],
  [
    "a list that is to be merged as a whole",
    { containers: [c("a")] },
    { containers: [{ $patch: "merge" }] },
    "merging lists cannot yet be specified in the patch",
  ],
  [
    "keys to retain that are no list",
    { affinity: {} },
    { affinity: { $retainKeys: "x" } },
    "invalid patch format of retainKeys",
  ],
  [
    "a field that is not among those to retain",
    { affinity: {} },
    { affinity: { $retainKeys: ["x"], y: 1 } },
    "invalid patch format of retainKeys",
  ],
  [
    "an order that is no list",
    { containers: [] },
    { [order]: "a" },
    "expected a []interface {}, but received a string",
  ],
  [
    "an order the patch itself does not keep",
    { containers: [c("a")] },
    { [order]: [c("a"), c("b")], containers: [c("b"), c("a")] },
    "The order in patch list:\n[map[name:b] map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:a] map[name:b]]\n",
  ],
  [
    "members of two sorts",
    { containers: [c("a")] },
    { containers: ["b"] },
    "list element types are not identical: [[map[name:a]] [b]]",
  ],
  [
    "a list of lists",
    { containers: [] },
    { containers: [["b"]] },
    "the server rejected our request due to an error in our request",
  ],
];
for (const [what, target, patch, because] of misused)
  test(`strategic patch: ${what} is refused`, () =>
    expect(() => strategicPatched(pods.schema, inSpec(target), inSpec(patch))).toThrow(because));

const container = fc.record({ name: fc.constantFrom("a", "b", "c", "d"), image: fc.string() });
const containers = fc.uniqueArray(container, { selector: (one) => one.name });
test("strategic patch: twice is once, nothing is changed in place, and nothing that is not named is lost", () => {
  fc.assert(
    fc.property(containers, containers, (before, wanted) => {
      const object = inSpec({ containers: before });
      const text = JSON.stringify(object);
      const once = strategicPatched(pods.schema, object, inSpec({ containers: wanted })) as {
        spec: { containers: { name: string }[] };
      };
      expect(strategicPatched(pods.schema, once, inSpec({ containers: wanted }))).toEqual(once);
      expect(JSON.stringify(object)).toBe(text);
      const names = new Set([...before, ...wanted].map((one) => one.name));
      expect(new Set(once.spec.containers.map((one) => one.name))).toEqual(names);
    }),
  );
});

test("JSON patch: all operations happen, or none", () => {
  const object = { a: { b: [1, 2] } };
  const operations = [
    { op: "add", path: "/a/b/-", value: 3 },
    { op: "remove", path: "/a/b/0" },
    { op: "move", from: "/a/b", path: "/c" },
  ];
  expect(jsonPatched(object, operations)).toEqual({ a: {}, c: [2, 3] });
  expect(object).toEqual({ a: { b: [1, 2] } });
  expect(() => jsonPatched(object, [{ op: "remove", path: "/x" }])).toThrow(
    /^the server rejected our request due to an error in our request$/,
  );
  expect(() => jsonPatched(object, [{ op: "test", path: "/a", value: 1 }])).toThrow(ApiError);
  const fromNowhere = { op: "copy", path: "", from: "/spec/containers/-" };
  expect(() => jsonPatched(object, [fromNowhere])).toThrow(ApiError);
  expect(() =>
    jsonPatched(object, [
      { op: "remove", path: "" },
      { op: "add", path: "/", value: 1 },
    ]),
  ).toThrow(ApiError);
  expect(() =>
    jsonPatched(
      object,
      Array.from({ length: 10_001 }, () => operations[0]),
    ),
  ).toThrow(/maximum operations/);
});
