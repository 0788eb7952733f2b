// Claims of generic ephemeral volumes: made for their pod, and never those of another.
import { expect, test } from "vitest";
import type { PersistentVolumeClaim } from "../../../api/generated/types.ts";
import { ownedBy } from "../../../api/meta.ts";
import { decideEphemeral } from "../../../controllers/volumes/ephemeral.ts";
import { claim } from "./volumes.ts";
import { ago, carryOut, pod } from "./world.ts";

const template = {
  metadata: { labels: { app: "db" }, annotations: { note: "1" } },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};
const volumes = [
  { name: "scratch", ephemeral: { volumeClaimTemplate: template } },
  { name: "x", emptyDir: {} },
];
const user = pod("db", { spec: { volumes } });
const own = claim({ name: "db-scratch", metadata: { ownerReferences: [ownedBy(user)] } });

test("a missing claim is made from the template, and belongs to the pod", () => {
  const { actions } = decideEphemeral({ pod: user, claims: [] });
  const [made] = carryOut(actions, []) as readonly PersistentVolumeClaim[];
  expect(made?.metadata).toMatchObject({
    ...template.metadata,
    name: "db-scratch",
    namespace: "default",
    ownerReferences: [{ kind: "Pod", name: "db", uid: user.metadata.uid, controller: true, blockOwnerDeletion: true }],
  });
  expect(made?.spec).toEqual(template.spec);
  expect(decideEphemeral({ pod: user, claims: [made!] }).actions).toEqual([]);
});

test("a claim that is there is left alone, and none is made for a deleted pod", () => {
  expect(decideEphemeral({ pod: user, claims: [own] })).toEqual({ actions: [] });
  const deleted = pod("db", { metadata: { deletionTimestamp: ago(1) }, spec: { volumes } });
  expect(decideEphemeral({ pod: deleted, claims: [] }).actions).toEqual([]);
});

test("a claim of something else is not used, which the pod's events say", () => {
  const problem = "PVC default/db-scratch was not created for pod default/db (pod is not owner)";
  const decision = decideEphemeral({ pod: user, claims: [claim({ name: "db-scratch" })] });
  expect(decision).toMatchObject({
    actions: [{ do: "event", reason: "FailedBinding", message: `ephemeral volume scratch: ${problem}` }],
    failure: problem,
  });
});
