// Client-side apply: fields that a manifest sets, changes and no longer sets.
import { expect, test } from "vitest";
import { schemaOf } from "../../../../api/schema.ts";
import { threeWayMerge } from "../../../../cli/client/three-way.ts";

type Rows = readonly (readonly [what: string, original: object, modified: object, current: object, expected: object])[];

const maps: Rows = [
  ["a new field", {}, { a: 1 }, {}, { a: 1 }],
  ["a changed field", { a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }],
  ["a field that others set stays", { a: 1 }, { a: 1 }, { a: 1, b: 2 }, { a: 1, b: 2 }],
  ["a field that the manifest no longer has goes", { a: 1, b: 2 }, { a: 1 }, { a: 1, b: 2 }, { a: 1 }],
  ["a field that drifted is set again", { a: 1 }, { a: 1 }, { a: 9 }, { a: 1 }],
  ["null removes", {}, { a: null }, { a: 1, b: 2 }, { b: 2 }],
  ["maps are merged", { m: { a: 1 } }, { m: { a: 2 } }, { m: { a: 1, b: 1 } }, { m: { a: 2, b: 1 } }],
  ["lists of unknown schema are replaced", { l: [1] }, { l: [2] }, { l: [1, 3] }, { l: [2] }],
];
for (const [what, original, modified, current, expected] of maps)
  test(`without a schema: ${what}`, () =>
    expect(threeWayMerge(original, modified, current, undefined)).toEqual(expected));

const container = (name: string, more: object = {}) => ({ name, image: "i", ...more });
const pods: Rows = [
  [
    "containers are merged by name",
    { containers: [container("a")] },
    { containers: [container("a", { image: "j" })] },
    { containers: [container("a", { imagePullPolicy: "Always" })] },
    { containers: [container("a", { image: "j", imagePullPolicy: "Always" })] },
  ],
  [
    "a container that was injected stays, one that was removed goes",
    { containers: [container("a"), container("b")] },
    { containers: [container("a")] },
    { containers: [container("a"), container("b"), container("injected")] },
    { containers: [container("a"), container("injected")] },
  ],
  [
    "the order of the server stays where it agrees",
    { containers: [container("b")] },
    { containers: [container("b")] },
    { containers: [container("a"), container("b")] },
    { containers: [container("a"), container("b")] },
  ],
  [
    "a new order is that of the manifest",
    { containers: [container("a"), container("b")] },
    { containers: [container("b"), container("a")] },
    { containers: [container("a"), container("b")] },
    { containers: [container("b"), container("a")] },
  ],
  [
    "a volume of another type loses the old one",
    { volumes: [{ name: "v", emptyDir: {} }] },
    { volumes: [{ name: "v", configMap: { name: "c" } }] },
    { volumes: [{ name: "v", emptyDir: {} }] },
    { volumes: [{ name: "v", configMap: { name: "c" } }] },
  ],
  [
    "tolerations are replaced",
    { tolerations: [{ key: "a" }] },
    { tolerations: [{ key: "b" }] },
    { tolerations: [{ key: "a" }, { key: "c" }] },
    { tolerations: [{ key: "b" }] },
  ],
];
for (const [what, original, modified, current, expected] of pods)
  test(`pod: ${what}`, () =>
    expect(threeWayMerge(original, modified, current, schemaOf("io.k8s.api.core.v1.PodSpec"))).toEqual(expected));

test("a strategy of another type loses the parameters of the old one", () => {
  const rolling = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } };
  expect(
    threeWayMerge(
      { strategy: rolling },
      { strategy: { type: "Recreate" } },
      { strategy: rolling },
      schemaOf("io.k8s.api.apps.v1.DeploymentSpec"),
    ),
  ).toEqual({ strategy: { type: "Recreate" } });
});
test("finalizers are merged", () => {
  const meta = schemaOf("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  expect(
    threeWayMerge({ finalizers: ["a", "b"] }, { finalizers: ["a"] }, { finalizers: ["a", "b", "c"] }, meta),
  ).toEqual({
    finalizers: ["a", "c"],
  });
});
