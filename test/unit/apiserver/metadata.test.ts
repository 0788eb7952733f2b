// Validation of finalizers and owner references.
import { expect, test } from "vitest";
import { configMaps } from "../../../api/core/configmaps.ts";
import { customResourceDefinitions } from "../../../api/apiextensions/customresourcedefinitions.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { validateMeta, withDistinctOwners } from "../../../apiserver/registry/prepare.ts";

const owner = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "Node",
  name,
  uid: `u-${name}`,
  ...more,
});
const control = (name: string) => ({ apiVersion: "v1", uid: `u-${name}`, controller: true });
const foreign = "name is neither a standard finalizer name nor is it fully qualified";
const table = [
  ["a finalizer with a domain", { finalizers: ["a.com/held"] }, []],
  ["a standard finalizer", { finalizers: ["orphan"] }, []],
  [
    "an unqualified finalizer",
    { finalizers: ["a.com/held", "mine"] },
    [`metadata.finalizers[1]: Invalid value: "mine": ${foreign}`],
  ],
  [
    "mutually exclusive finalizers",
    { finalizers: ["foregroundDeletion", "orphan"] },
    [
      'metadata.finalizers: Invalid value: ["foregroundDeletion","orphan"]: finalizer orphan and foregroundDeletion cannot be both set',
    ],
  ],
  ["an owner", { ownerReferences: [owner("a")] }, []],
  [
    "an owner of kind Event",
    { ownerReferences: [owner("a", { kind: "Event" })] },
    [
      'metadata.ownerReferences[0]: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"u-a"}: /v1, Kind=Event is disallowed from being an owner',
    ],
  ],
  [
    "an owner with empty fields",
    { ownerReferences: [owner("a"), { apiVersion: "", kind: "", name: "", uid: "" }] },
    ["apiVersion", "kind", "name", "uid"].map(
      (field) => `metadata.ownerReferences[1].${field}: Required value: must not be empty`,
    ),
  ],
  [
    "an owner with an invalid apiVersion",
    { ownerReferences: [owner("a", { apiVersion: "a/b/c" })] },
    ['metadata.ownerReferences[0].apiVersion: Invalid value: "a/b/c": must be <group>/<version> or <version>'],
  ],
  [
    "three controllers",
    { ownerReferences: ["a", "b", "c"].map((name) => ({ kind: "Node", name, ...control(name) })) },
    ["b", "c"].map(
      (name) =>
        `metadata.ownerReferences: Invalid value: ${JSON.stringify(["a", "b", "c"].map((n) => ({ kind: "Node", name: n, ...control(n) })))}: Only one reference can have Controller set to true. Found "true" in references for Node/a and Node/${name}`,
    ),
  ],
] as const;
for (const [what, meta, wrong] of table)
  test(`metadata: ${what}`, () => {
    const problems = validateMeta(configMaps as unknown as ResourceDefinition, { name: "x", ...meta });
    expect(problems.map((p) => `${p.path}: ${p.message}`)).toEqual(wrong);
  });

test("metadata: finalizers of custom resource definitions can be unqualified", () =>
  expect(
    validateMeta(customResourceDefinitions as unknown as ResourceDefinition, { name: "x", finalizers: ["mine"] }),
  ).toEqual([]));

const deduplicated = (
  owners: readonly object[],
): { readonly kept: readonly string[]; readonly warnings: readonly string[] } => {
  const warnings: string[] = [];
  const object = { metadata: { ownerReferences: owners as readonly ReturnType<typeof owner>[] } };
  const { metadata } = withDistinctOwners(object, (warning) => void warnings.push(warning));
  return { kept: metadata.ownerReferences.map((o) => o.name), warnings };
};
test("owners: duplicates are dropped with a warning", () => {
  expect(deduplicated([owner("a"), owner("b"), owner("a")])).toEqual({
    kept: ["a", "b"],
    warnings: [
      ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u-a",
    ],
  });
});
test("owners: references of one uid with different fields are kept", () =>
  expect(deduplicated([owner("a"), owner("a", { controller: true })])).toEqual({ kept: ["a", "a"], warnings: [] }));
