// Protection finalizers of claims and volumes: removed when the object is deleted and unused.
import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../../api/generated/types.ts";
import { decideClaim, decideVolume } from "../../../controllers/storageprotection/controller.ts";
import { claimNamesOf } from "../../../api/core/pod/claims.ts";
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
    ["not deleted: unchanged", {}, [], "all"],
    ["deleted and unused: the protection finalizer is removed", going, [], ["mine"]],
    ["no protection finalizer: unchanged", { ...going, finalizers: ["mine"] }, [], "all"],
    ["used by a pod: unchanged", going, [user()], "all"],
    ["used by a completed pod: unchanged", going, [pod("p", { phase: "Succeeded", spec: { volumes } })], "all"],
    ["used by an unscheduled pod: removed", going, [pod("p", { spec: { volumes, nodeName: undefined } })], ["mine"]],
    ["an ephemeral claim of another name: removed", { ...going, name: "other-data" }, [owner], ["mine"]],
    ["an ephemeral claim of a running pod: unchanged", { ...going, ...own }, [owner], "all"],
    ["an ephemeral claim of a deleted pod that has ended: removed", { ...going, ...own }, [shutDown], ["mine"]],
  ];
for (const [what, of, pods, left] of claims)
  test(`claim protection: ${what}; the second decision is empty`, () => {
    const before = claim(of);
    const { actions } = decideClaim({ claim: before, pods });
    const [after] = carryOut(actions, [before]) as readonly PersistentVolumeClaim[];
    expect(after?.metadata.finalizers).toEqual(left === "all" ? before.metadata.finalizers : left);
    expect(decideClaim({ claim: after!, pods }).actions).toEqual([]);
  });

for (const [phase, metadata, goes] of [
  ["Available", going, true],
  ["Released", going, true],
  ["Bound", going, false],
  ["Available", {}, false],
] as const)
  test(`volume protection: ${phase}, ${"deletionTimestamp" in metadata ? "deleted" : "not deleted"}`, () => {
    const finalizers = ["kubernetes.io/pv-protection"];
    const volume = asStored<PersistentVolume>({
      kind: "PersistentVolume",
      metadata: { name: "pv", finalizers, ...metadata },
      status: { phase },
    });
    const [after] = carryOut(decideVolume(volume).actions, [volume]);
    expect(after?.metadata.finalizers).toEqual(goes ? [] : finalizers);
  });

test("claim protection: a pod is indexed by its claims and ephemeral claims", () =>
  expect([user(), owner].flatMap(claimNamesOf)).toEqual(["data", "db-data"]));
