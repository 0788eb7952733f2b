// A patch between two objects, applied to the first, gives the second.
import fc from "fast-check";
import { expect, test } from "vitest";
import { deployments } from "../../../../api/apps/deployments.ts";
import { mergePatched } from "../../../../apiserver/registry/patch/patch.ts";
import { strategicPatched } from "../../../../apiserver/registry/patch/strategic.ts";
import { mergeDiff } from "../../../../cli/client/merge-diff.ts";
import { strategicDiff } from "../../../../cli/client/strategic-diff.ts";

const name = fc.constantFrom("a", "b", "c", "d");
const labels = fc.dictionary(name, fc.constantFrom("1", "2"), { noNullPrototype: true });
const env = fc.uniqueArray(fc.record({ name, value: fc.constantFrom("1", "2") }), { selector: (e) => e.name });
const container = fc.record({ name, image: name, env, args: fc.array(name) }, { requiredKeys: ["name"] });
const spec = fc.record(
  {
    replicas: fc.nat(3),
    template: fc.record({
      metadata: fc.record({ labels }),
      spec: fc.record({ containers: fc.uniqueArray(container, { selector: (c) => c.name }) }),
    }),
  },
  { requiredKeys: [] },
);
const deployment = fc.record({
  apiVersion: fc.constant("apps/v1"),
  kind: fc.constant("Deployment"),
  metadata: fc.record(
    { name: fc.constant("web"), labels, finalizers: fc.uniqueArray(name) },
    { requiredKeys: ["name"] },
  ),
  spec,
});

test("a strategic patch leads from one object to the other", () => {
  fc.assert(
    fc.property(deployment, deployment, (before, after) => {
      const patch = JSON.parse(JSON.stringify(strategicDiff(before, after)));
      expect(strategicPatched(deployments.schema, before, patch)).toEqual(after);
    }),
  );
});

test("a merge patch leads from one object to the other", () => {
  fc.assert(
    fc.property(deployment, deployment, (before, after) => {
      expect(mergePatched(before, mergeDiff(before, after) ?? {})).toEqual(after);
    }),
  );
});

test("a list without merge keys is replaced", () => {
  const patch = (args: readonly string[]) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    spec: { template: { spec: { containers: [{ name: "a", args }] } } },
  });
  expect(strategicDiff(patch(["x"]), patch(["y"]))).toEqual({
    spec: {
      template: { spec: { "$setElementOrder/containers": [{ name: "a" }], containers: [{ name: "a", args: ["y"] }] } },
    },
  });
});

test("kinds that are not built in have no strategic patch", () => {
  expect(strategicDiff({ apiVersion: "example.com/v1", kind: "Shop" }, {})).toBeUndefined();
});
