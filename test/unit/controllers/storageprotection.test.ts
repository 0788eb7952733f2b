// Claims and volumes that were deleted: which go, and which wait for whom.
import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../../api/generated/types.ts";
import { claimsOf, decideClaim, decideVolume } from "../../../controllers/storageprotection/controller.ts";
import { ago, asStored, carryOut, pod } from "./world.ts";

const going = { deletionTimestamp: ago(1) };
const claim = (metadata: object): PersistentVolumeClaim =>
  asStored<PersistentVolumeClaim>({
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace: "default", finalizers: ["kubernetes.io/pvc-protection", "mine"], ...metadata },
    spec: {},
  });
const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "data" } }];
const user = (more: object = {}, nodeName: string | undefined = "n1"): Pod =>
  pod("p", { metadata: more, spec: { volumes, nodeName } });
const owner = pod("db", { spec: { volumes: [{ name: "data", ephemeral: {} }] } });
const shutDown: Pod = { ...owner, metadata: { ...owner.metadata, ...going, deletionGracePeriodSeconds: 0 } };
const own = {
  name: "db-data",
  ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "db", uid: owner.metadata.uid, controller: true }],
};

const claims: readonly (readonly [what: string, of: object, pods: readonly Pod[], left: readonly string[] | "all"])[] =
  [
    ["one nobody deleted stays as it is", {}, [], "all"],
    ["one nobody uses goes, as far as we have a say", going, [], ["mine"]],
    ["one that was let go already is left alone", { ...going, finalizers: ["mine"] }, [], "all"],
    ["one that is used stays", going, [user()], "all"],
    ["a finished pod is still a pod", going, [pod("p", { phase: "Succeeded", spec: { volumes } })], "all"],
    [
      "a pod that waits for a node will not get it",
      going,
      [pod("p", { spec: { volumes, nodeName: undefined } })],
      ["mine"],
    ],
    ["another pod's own is not in the way", { ...going, name: "other-data" }, [owner], ["mine"]],
    ["a pod's own stays while it runs", { ...going, ...own }, [owner], "all"],
    ["and goes once it was shut down", { ...going, ...own }, [shutDown], ["mine"]],
  ];
for (const [what, of, pods, left] of claims)
  test(`claims in use: ${what}, and then there is silence`, () => {
    const given = claim(of);
    const { actions } = decideClaim({ claim: given, pods });
    const [after] = carryOut(actions, [given]) as readonly PersistentVolumeClaim[];
    expect(after?.metadata.finalizers).toEqual(left === "all" ? given.metadata.finalizers : left);
    expect(decideClaim({ claim: after!, pods }).actions).toEqual([]);
  });

for (const [phase, metadata, goes] of [
  ["Available", going, true],
  ["Released", going, true],
  ["Bound", going, false],
  ["Available", {}, false],
] as const)
  test(`volumes in use: ${phase}, ${"deletionTimestamp" in metadata ? "deleted" : "wanted"}`, () => {
    const finalizers = ["kubernetes.io/pv-protection"];
    const volume = asStored<PersistentVolume>({
      kind: "PersistentVolume",
      metadata: { name: "pv", finalizers, ...metadata },
      status: { phase },
    });
    const [after] = carryOut(decideVolume(volume).actions, [volume]);
    expect(after?.metadata.finalizers).toEqual(goes ? [] : finalizers);
  });

test("claims in use: a pod is found by those it names and those made for it", () =>
  expect([user(), owner].flatMap(claimsOf)).toEqual(["data", "db-data"]));
