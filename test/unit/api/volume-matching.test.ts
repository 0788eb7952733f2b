// Claims and volumes: which volume a claim is bound to, on a node and wherever it is.
import { expect, test } from "vitest";
import {
  boundByController,
  boundTo,
  candidatesFor,
  classNameOf,
  isFullyBound,
  isReachableFrom,
  refersTo,
  volumeAnywhere,
  waitsForConsumer,
} from "../../../api/core/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../../api/generated/types.ts";
import type { ObjectMeta } from "../../../api/meta.ts";
import type { Labels } from "../../../api/selector.ts";
import { storedMeta } from "../stored-meta.ts";

function claim(spec: PersistentVolumeClaim["spec"] = {}, more: Partial<ObjectMeta> = {}): PersistentVolumeClaim {
  const request = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "5Gi" } } } as const;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: storedMeta("data", { namespace: "shop", ...more }),
    spec: { ...request, storageClassName: "disk", ...spec },
  };
}
function volume(name: string, spec: PersistentVolume["spec"] = {}, more: Partial<ObjectMeta> = {}): PersistentVolume {
  const offer = { accessModes: ["ReadWriteOnce"], capacity: { storage: "5Gi" } } as const;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: storedMeta(name, more),
    spec: { ...offer, storageClassName: "disk", ...spec },
    status: { phase: "Available" },
  };
}
const sized = (name: string, size: string, spec: PersistentVolume["spec"] = {}) =>
  volume(name, { capacity: { storage: size }, ...spec });
const inZone = (zone: string): PersistentVolume["spec"] => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: [zone] }] }] },
  },
});
const reserved: PersistentVolume["spec"] = { claimRef: { namespace: "shop", name: "data" } };
const bound: PersistentVolume["spec"] = { claimRef: { namespace: "shop", name: "data", uid: "uid-data" } };
const others: PersistentVolume["spec"] = { claimRef: { namespace: "shop", name: "data", uid: "uid-before" } };
const released = (name: string): PersistentVolume => ({ ...volume(name), status: { phase: "Released" } });
const oldClass = { annotations: { "volume.beta.kubernetes.io/storage-class": "disk" } };

const table: readonly (readonly [
  what: string,
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  onNode: string | undefined,
  anywhere?: string | undefined,
])[] = [
  ["no volume", claim(), [], undefined],
  ["the smallest that is large enough", claim(), [sized("c", "9Gi"), sized("b", "6Gi"), sized("a", "4Gi")], "b"],
  ["sizes are compared as quantities", claim(), [sized("a", "5G"), sized("b", "5120Mi")], "b"],
  ["equal volumes by name", claim(), [volume("b"), volume("a")], "a"],
  ["another class", claim(), [volume("a", { storageClassName: "ssd" })], undefined],
  ["a claim without class", claim({ storageClassName: "" }), [volume("a"), volume("b", { storageClassName: "" })], "b"],
  ["the class annotation of a volume", claim(), [volume("a", { storageClassName: "x" }, oldClass)], "a"],
  ["the class annotation of a claim", claim({ storageClassName: "x" }, oldClass), [volume("a")], "a"],
  ["a missing access mode", claim({ accessModes: ["ReadWriteMany"] }), [volume("a")], undefined],
  [
    "more access modes than needed",
    claim(),
    [sized("a", "5Gi", { accessModes: ["ReadWriteOnce", "ReadWriteMany"] }), sized("b", "6Gi")],
    "a",
    "b",
  ],
  ["another volume mode", claim({ volumeMode: "Block" }), [volume("a"), volume("b", { volumeMode: "Block" })], "b"],
  ["the default volume mode", claim({ volumeMode: "Filesystem" }), [volume("a")], "a"],
  ["another class of attributes", claim({ volumeAttributesClassName: "gold" }), [volume("a")], undefined],
  ["a volume that is deleted", claim(), [volume("a", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" })], undefined],
  ["a volume that was released", claim(), [released("a")], undefined],
  ["a selector", claim({ selector: { matchLabels: { of: "x" } } }), [volume("a"), volume("b", {}, labelled("x"))], "b"],
  ["an empty selector", claim({ selector: {} }), [volume("a")], "a"],
  ["a volume of another claim", claim(), [volume("a", others), volume("b")], "b"],
  ["a reserved volume before a better one", claim(), [sized("a", "5Gi"), sized("b", "9Gi", reserved)], "b"],
  ["a reserved volume of another class", claim(), [volume("a", { ...reserved, storageClassName: "x" })], "a"],
  ["a reserved volume that is too small", claim(), [sized("a", "1Gi", reserved), sized("b", "5Gi")], "b"],
  ["the bound volume", claim(), [volume("a"), volume("b", bound)], "b"],
  ["a volume out of reach", claim(), [volume("a", inZone("2")), sized("b", "6Gi", inZone("1"))], "b", "a"],
  [
    "a reserved volume out of reach",
    claim(),
    [volume("a"), volume("b", { ...reserved, ...inZone("2") })],
    undefined,
    "b",
  ],
  ["an empty affinity", claim(), [volume("a", { nodeAffinity: {} })], "a"],
];
function labelled(of: string): Partial<ObjectMeta> {
  return { labels: { of } };
}
/** The best candidate that nodes with these labels can reach. */
const onNode = (of: PersistentVolumeClaim, volumes: readonly PersistentVolume[], labels: Labels) =>
  candidatesFor(of, volumes).find((candidate) => isReachableFrom(candidate, labels));
const name = (found: PersistentVolume | undefined): string | undefined => found?.metadata.name;
for (const row of table) {
  const [what, of, volumes, expected] = row;
  test(`claim on a node: ${what}`, () => expect(name(onNode(of, volumes, { zone: "1" }))).toBe(expected));
  test(`claim anywhere: ${what}`, () =>
    expect(name(volumeAnywhere(of, volumes, false))).toBe(row.length === 5 ? row[4] : expected));
}

test("while binding is delayed, the binder finds only reserved volumes", () => {
  expect(name(volumeAnywhere(claim(), [volume("a")], true))).toBeUndefined();
  expect(name(volumeAnywhere(claim(), [volume("a"), volume("b", reserved)], true))).toBe("b");
});
test("a term by node name alone matches every node", () => {
  const matchFields = [{ key: "metadata.name", operator: "In", values: ["node-1"] }] as const;
  const affinity = { required: { nodeSelectorTerms: [{ matchFields }] } };
  expect(isReachableFrom(volume("a", { nodeAffinity: affinity }), {})).toBe(true);
});

const references: readonly (readonly [what: string, volume: PersistentVolume, refers: boolean])[] = [
  ["none", volume("a"), false],
  ["by name", volume("a", reserved), true],
  ["an empty uid", volume("a", { claimRef: { ...reserved.claimRef, uid: "" } }), true],
  ["its uid", volume("a", bound), true],
  ["the uid of a deleted claim", volume("a", others), false],
  ["another namespace", volume("a", { claimRef: { namespace: "b", name: "data" } }), false],
];
for (const [what, of, refers] of references)
  test(`reference to the claim: ${what}`, () => expect(refersTo(of, claim())).toBe(refers));

test("binding completes the reference, and marks a choice of the system", () => {
  const fresh = boundTo(volume("a", {}, { annotations: { x: "y" } }), claim());
  const claimRef = { kind: "PersistentVolumeClaim", apiVersion: "v1", ...bound.claimRef, resourceVersion: "1" };
  expect(fresh.spec.claimRef).toEqual(claimRef);
  expect(fresh.metadata.annotations).toEqual({ x: "y", [boundByController]: "yes" });
  const chosen = boundTo(volume("a", reserved), claim());
  expect(chosen.spec.claimRef).toEqual(claimRef);
  expect(chosen.metadata.annotations).toBeUndefined();
  const complete = volume("a", bound);
  expect(boundTo(complete, claim())).toBe(complete);
});
test("a claim is bound once the binder says so", () => {
  const annotations = { "pv.kubernetes.io/bind-completed": "yes" };
  expect(isFullyBound(claim({ volumeName: "a" }))).toBe(false);
  expect(isFullyBound(claim({}, { annotations }))).toBe(false);
  expect(isFullyBound(claim({ volumeName: "a" }, { annotations }))).toBe(true);
});
test("classes: the mode of binding, and the name of none", () => {
  const of = (volumeBindingMode: StorageClass["volumeBindingMode"]): StorageClass => ({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: storedMeta("disk"),
    provisioner: "x",
    volumeBindingMode,
  });
  expect([undefined, of("Immediate"), of("WaitForFirstConsumer")].map(waitsForConsumer)).toEqual([false, false, true]);
  expect(classNameOf({ ...volume("a"), spec: {} })).toBe("");
});
