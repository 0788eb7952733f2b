// JSON merge patch, strategic merge patch and JSON patch: tables from their specifications, and properties.
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
  ["a missing object is added without nulls", {}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
] as const;
for (const [what, target, patch, result] of merges)
  test(`merge patch: ${what}`, () => expect(mergePatched(target, patch)).toEqual(result));

test("merge patch: idempotent, and the target is not mutated", () => {
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
    "a new container is added before those not in the patch",
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
    "an object is deleted by directive",
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
    "$setElementOrder is applied",
    { containers: [c("a"), c("b"), c("x")] },
    { "$setElementOrder/containers": [c("b"), c("n"), c("a")], containers: [c("n")] },
    { containers: [c("b"), c("n"), c("a"), c("x")] },
  ],
  [
    "named containers are in the order of the patch, others keep their position",
    { containers: [c("a"), c("b"), c("x")] },
    { containers: [c("x", "1"), c("a", "2")] },
    { containers: [c("b"), c("x", "1"), c("a", "2")] },
  ],
  [
    "directives and nulls are removed from added values",
    { hostname: "h" },
    { affinity: { x: 1, y: null, z: { $patch: "delete" } }, volumes: [{ name: "v" }, { $patch: "delete", name: "w" }] },
    { hostname: "h", affinity: { x: 1 }, volumes: [{ name: "v" }] },
  ],
  [
    "$retainKeys drops other keys",
    { volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/" } }] },
    { volumes: [{ $retainKeys: ["name", "hostPath"], name: "v", hostPath: { path: "/x" } }] },
    { volumes: [{ name: "v", hostPath: { path: "/x" } }] },
  ],
] as const;
for (const [what, target, patch, result] of strategic)
  test(`strategic patch: ${what}`, () =>
    expect(strategicPatched(pods.schema, inSpec(target), inSpec(patch))).toEqual(inSpec(result)));

test("strategic patch: members of a primitive list are deleted and added once", () => {
  const object = { metadata: { finalizers: ["a", "b", "c"] } };
  const patch = { metadata: { "$deleteFromPrimitiveList/finalizers": ["b"], finalizers: ["c", "d"] } };
  expect(strategicPatched(pods.schema, object, patch)).toEqual({ metadata: { finalizers: ["a", "c", "d"] } });
});
test("strategic patch: $retainKeys drops the other fields of a strategy", () => {
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
    "an unknown directive",
    { affinity: {} },
    { affinity: { $patch: "drop" } },
    "unknown patch type: drop in map: map[$patch:drop]",
  ],
  [
    "an unknown directive in a list",
    { containers: [c("a")] },
    { containers: [c("a", "", { $patch: "drop" })] },
    "unknown patch type: drop in map: map[$patch:drop name:a]",
  ],
  [
    "a merge directive in a list",
    { containers: [c("a")] },
    { containers: [{ $patch: "merge" }] },
    "merging lists cannot yet be specified in the patch",
  ],
  [
    "$retainKeys that is not a list",
    { affinity: {} },
    { affinity: { $retainKeys: "x" } },
    "invalid patch format of retainKeys",
  ],
  [
    "a field that is not in $retainKeys",
    { affinity: {} },
    { affinity: { $retainKeys: ["x"], y: 1 } },
    "invalid patch format of retainKeys",
  ],
  [
    "an order that is not a list",
    { containers: [] },
    { [order]: "a" },
    "expected a []interface {}, but received a string",
  ],
  [
    "an order that differs from the patch",
    { containers: [c("a")] },
    { [order]: [c("a"), c("b")], containers: [c("b"), c("a")] },
    "The order in patch list:\n[map[name:b] map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:a] map[name:b]]\n",
  ],
  [
    "list items of two types",
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
test("strategic patch: idempotent, the target is not mutated, and unnamed items are kept", () => {
  fc.assert(
    fc.property(containers, containers, (before, change) => {
      const object = inSpec({ containers: before });
      const text = JSON.stringify(object);
      const once = strategicPatched(pods.schema, object, inSpec({ containers: change })) as {
        spec: { containers: { name: string }[] };
      };
      expect(strategicPatched(pods.schema, once, inSpec({ containers: change }))).toEqual(once);
      expect(JSON.stringify(object)).toBe(text);
      const names = new Set([...before, ...change].map((one) => one.name));
      expect(new Set(once.spec.containers.map((one) => one.name))).toEqual(names);
    }),
  );
});

test("JSON patch: operations are atomic", () => {
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
