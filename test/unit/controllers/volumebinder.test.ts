// The binder of claims and volumes: what it does in each state, and that a binding is made once whatever happens between
// its writes.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../api/generated/types.ts";
import { type ApiObject, revision } from "../../../api/meta.ts";
import { bindCompleted, boundByController, provisionedBy } from "../../../api/core/volume-matching.ts";
import { decideClaim, type ObservedClaim } from "../../../controllers/volumes/claim.ts";
import { defaultClassOf } from "../../../controllers/volumes/controller.ts";
import { decideVolume } from "../../../controllers/volumes/volume.ts";
import type { Action } from "../../../machinery/action.ts";
import { claim, claimRef, revisionIn, storageClass, store, volume } from "./volumes.ts";
import { ago, now, pod } from "./world.ts";

const summary = (actions: readonly Action[]): readonly string[] =>
  actions.map((a) => {
    if (a.do === "event") return `${a.type} ${a.reason}: ${a.message}`;
    if (a.do === "status") return `${a.object.kind} is ${(a.status as { phase: string }).phase}`;
    return `${a.do} ${a.do === "create" ? a.draft.metadata.name : a.object.metadata.name}`;
  });

const deleted = { deletionTimestamp: ago(1) };
const data = claim();
const observed = (more: Partial<ObservedClaim>): ObservedClaim => ({
  ...{ claim: data, named: undefined, candidates: [], storageClass: undefined, defaultClass: undefined, pods: [] },
  ...more,
});
const reserved = volume({
  metadata: { annotations: { [boundByController]: "yes" } },
  spec: { claimRef: claimRef(data) },
});
const other = volume({ spec: { claimRef: claimRef(claim({ name: "other" })) } });
const bound = { [bindCompleted]: "yes", [boundByController]: "yes" };
const isBound = claim({
  metadata: { annotations: bound },
  spec: { volumeName: "pv" },
  status: { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } },
});
const ofBound = volume({ spec: { claimRef: claimRef(isBound) }, status: { phase: "Bound" } });
const delayed = storageClass("slow", { volumeBindingMode: "WaitForFirstConsumer" });
const slow = claim({ spec: { storageClassName: "slow" } });
const user = (name: string, nodeName?: string) =>
  pod(name, { spec: { nodeName, volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] } });
const named = claim({ spec: { volumeName: "pv" } });
const waits = (provisioner: string): string =>
  `Normal ExternalProvisioning: Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;

const claims: readonly (readonly [what: string, of: Partial<ObservedClaim>, does: readonly string[]])[] = [
  ["a volume that fits is reserved", { candidates: [volume()] }, ["update pv"]],
  [
    "a reserved volume is bound, then the claim",
    { candidates: [reserved] },
    ["PersistentVolume is Bound", "update data"],
  ],
  [
    "the claim's status comes last",
    { claim: { ...isBound, status: { phase: "Pending" } }, named: ofBound },
    ["PersistentVolumeClaim is Bound"],
  ],
  ["bound: nothing", { claim: isBound, named: ofBound }, []],
  [
    "nothing fits",
    { candidates: [volume({ spec: { capacity: { storage: "1Mi" } } })] },
    ["Normal FailedBinding: no persistent volumes available for this claim and no storage class is set"],
  ],
  [
    "without a class it gets the default one",
    { claim: claim({ spec: { storageClassName: undefined } }), defaultClass: "local" },
    ["update data"],
  ],
  ["with an empty class it gets no default", { defaultClass: "local", candidates: [volume()] }, ["update pv"]],
  [
    "a class that does not exist",
    { claim: slow },
    ['Warning ProvisioningFailed: storageclass.storage.k8s.io "slow" not found'],
  ],
  [
    "a class without provisioner",
    { claim: slow, storageClass: storageClass("slow", { provisioner: "kubernetes.io/no-provisioner" }) },
    ["Warning ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner"],
  ],
  [
    "a binding that has begun is completed with a volume that is deleted meanwhile",
    { candidates: [{ ...reserved, metadata: { ...reserved.metadata, ...deleted }, status: { phase: "Bound" } }] },
    ["update data"],
  ],
  [
    "a provisioner is named",
    { claim: slow, storageClass: storageClass("slow") },
    ["update data", waits("local.csi.orrery.dev")],
  ],
  [
    "binding is delayed without a pod",
    { claim: slow, storageClass: delayed },
    ["Normal WaitForFirstConsumer: waiting for first consumer to be created before binding"],
  ],
  [
    "binding is delayed until pods are scheduled",
    { claim: slow, storageClass: delayed, pods: [user("b"), user("a"), user("c", "n1")] },
    ["Normal WaitForPodScheduled: waiting for pods a, b to be scheduled"],
  ],
  [
    "binding is delayed although a volume fits",
    {
      claim: slow,
      storageClass: delayed,
      candidates: [volume({ spec: { storageClassName: "slow" } })],
      pods: [user("a")],
    },
    ["Normal WaitForPodScheduled: waiting for pod a to be scheduled"],
  ],
  [
    "a volume that the scheduler reserved is bound",
    { claim: slow, storageClass: delayed, candidates: [reserved] },
    ["PersistentVolume is Bound", "update data"],
  ],
  [
    "provisioned once a node is selected",
    {
      claim: claim({
        metadata: { annotations: { "volume.kubernetes.io/selected-node": "n1" } },
        spec: { storageClassName: "slow" },
      }),
      storageClass: delayed,
    },
    ["update data", waits("local.csi.orrery.dev")],
  ],
  ["it names a volume that does not exist", { claim: named }, []],
  ["it names a free volume", { claim: named, named: volume() }, ["update pv"]],
  [
    "it names a volume that is too small",
    { claim: named, named: volume({ spec: { capacity: { storage: "1Mi" } } }) },
    ['Warning VolumeMismatch: Cannot bind to requested volume "pv": requested PV is too small'],
  ],
  [
    "it names a volume of another class",
    { claim: named, named: volume({ spec: { storageClassName: "slow" } }) },
    ['Warning VolumeMismatch: Cannot bind to requested volume "pv": storageClassName does not match'],
  ],
  [
    "it names a volume of another mode",
    { claim: named, named: volume({ spec: { volumeMode: "Block" } }) },
    ['Warning VolumeMismatch: Cannot bind to requested volume "pv": incompatible volumeMode'],
  ],
  [
    "it names a volume without its access mode",
    { claim: named, named: volume({ spec: { accessModes: ["ReadOnlyMany"] } }) },
    ['Warning VolumeMismatch: Cannot bind to requested volume "pv": incompatible accessMode'],
  ],
  [
    "it names the volume of another claim",
    { claim: named, named: other },
    ['Warning FailedBinding: volume "pv" already bound to a different claim.'],
  ],
  [
    "its volume is gone",
    { claim: isBound },
    [
      "PersistentVolumeClaim is Lost",
      "Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!",
    ],
  ],
  [
    "its reference is gone",
    { claim: { ...isBound, spec: data.spec } },
    [
      "PersistentVolumeClaim is Lost",
      "Warning ClaimLost: Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
    ],
  ],
  [
    "its volume is another claim's",
    { claim: isBound, named: other },
    [
      "PersistentVolumeClaim is Lost",
      "Warning ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly",
    ],
  ],
  ["its volume was unbound by a user", { claim: isBound, named: volume() }, ["update pv"]],
  [
    "it requests more than it has",
    { claim: { ...isBound, spec: { ...isBound.spec, resources: { requests: { storage: "2Gi" } } } }, named: ofBound },
    ["Normal ExternalExpanding: waiting for an external controller to expand this PVC"],
  ],
  ["lost, and reported", { claim: { ...isBound, status: { phase: "Lost" } } }, []],
];
for (const [what, of, does] of claims)
  test(`claims: ${what}`, () => expect(summary(decideClaim(observed(of), now).actions)).toEqual(does));

test("claims: the system marks what it chose", () => {
  const { actions } = decideClaim(observed({ candidates: [volume()] }), now);
  expect(actions[0]).toMatchObject({
    object: { metadata: { annotations: { [boundByController]: "yes" } }, spec: { claimRef: { uid: "uid-of-data" } } },
  });
  const chosen = decideClaim(observed({ candidates: [reserved] }), now).actions[1];
  expect(chosen).toMatchObject({ object: { metadata: { annotations: bound }, spec: { volumeName: "pv" } } });
  const byUser = decideClaim(observed({ claim: named, named: reserved }), now).actions[1] as { object: ApiObject };
  expect(byUser.object.metadata.annotations).toEqual({ [bindCompleted]: "yes" });
});

test("claims: the newest default class, then the first by name", () => {
  const marked = { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } };
  const of = (name: string, seconds: number) => storageClass(name, {}, { ...marked, creationTimestamp: ago(seconds) });
  expect(defaultClassOf([of("c", 9), of("b", 1), of("a", 1), storageClass("d")])).toBe("a");
  expect(defaultClassOf([storageClass("d")])).toBeUndefined();
});

const dynamic = { annotations: { [provisionedBy]: "local.csi.orrery.dev" } };
const csi = { csi: { driver: "local.csi.orrery.dev", volumeHandle: "h" }, hostPath: undefined };
const elsewhere = claim({ spec: { volumeName: "another" } });
const toData = { claimRef: claimRef(data) };
const deletable = { ...toData, persistentVolumeReclaimPolicy: "Delete" };
const noDeleter = `error getting deleter volume plugin for volume "pv": no deletable volume plugin matched`;

type Row = readonly [
  what: string,
  of: PersistentVolume,
  claim: PersistentVolumeClaim | undefined,
  does: readonly string[],
];
const volumes: readonly Row[] = [
  ["new", volume({ status: { phase: "Pending" } }), undefined, ["PersistentVolume is Available"]],
  ["reserved by name", volume({ spec: { claimRef: { name: "data", namespace: "default" } } }), data, []],
  ["its claim is not bound yet", volume({ spec: toData, status: { phase: "Pending" } }), data, []],
  [
    "its claim is bound",
    volume({ spec: toData, status: { phase: "Pending" } }),
    { ...isBound },
    ["PersistentVolume is Bound"],
  ],
  [
    "deleted before its claim is bound to it",
    volume({ metadata: deleted, spec: toData, status: { phase: "Available" } }),
    data,
    ["PersistentVolume is Released"],
  ],
  [
    "deleted while its claim is being bound to it",
    volume({ metadata: deleted, spec: toData, status: { phase: "Bound" } }),
    data,
    [],
  ],
  [
    "its claim is gone",
    volume({ spec: toData, status: { phase: "Bound" } }),
    undefined,
    ["PersistentVolume is Released"],
  ],
  [
    "another claim has the name",
    volume({ spec: toData, status: { phase: "Bound" } }),
    claim({ metadata: { uid: "u" } }),
    ["PersistentVolume is Released"],
  ],
  ["released and retained", volume({ spec: toData, status: { phase: "Released" } }), undefined, []],
  [
    "released, a driver deletes it",
    volume({ spec: { ...deletable, ...csi }, status: { phase: "Released" } }),
    undefined,
    [],
  ],
  [
    "released, its provisioner deletes it",
    volume({ metadata: dynamic, spec: deletable, status: { phase: "Released" } }),
    undefined,
    [],
  ],
  [
    "released, and nothing can delete it",
    volume({ spec: deletable, status: { phase: "Released" } }),
    undefined,
    ["PersistentVolume is Failed", `Warning VolumeFailedDelete: ${noDeleter}`],
  ],
  ["failed, and reported", volume({ spec: deletable, status: { phase: "Failed", message: noDeleter } }), undefined, []],
  [
    "released, and cannot be recycled",
    volume({ spec: { ...toData, persistentVolumeReclaimPolicy: "Recycle" }, status: { phase: "Released" } }),
    undefined,
    ["PersistentVolume is Failed", "Warning VolumeFailedRecycle: No recycler plugin found for the volume!"],
  ],
  ["its claim has another volume", volume({ spec: toData }), elsewhere, ["update pv"]],
  [
    "its claim has another volume, and it was made for the claim",
    volume({ metadata: dynamic, spec: { ...deletable, ...csi } }),
    elsewhere,
    ["PersistentVolume is Released"],
  ],
];
for (const [what, of, itsClaim, does] of volumes)
  test(`volumes: ${what}`, () => {
    const { actions } = decideVolume({ volume: of, claim: itsClaim, claimsAt: revision(9) }, now);
    expect(summary(actions)).toEqual(does);
  });

test("volumes: a claim that a stale view does not show yet is not gone", () => {
  const ref = { ...claimRef(data), resourceVersion: "7" };
  const of = volume({ metadata: { resourceVersion: "8" }, spec: { claimRef: ref }, status: { phase: "Bound" } });
  const behind = decideVolume({ volume: of, claim: undefined, claimsAt: revision(6) }, now);
  expect(behind).toMatchObject({ actions: [], requeueAfter: 500 });
  expect(decideVolume({ volume: of, claim: undefined, claimsAt: revision(7) }, now).actions).not.toEqual([]);
});

test("volumes: unbound as they were reserved", () => {
  const after = (annotations: object) =>
    (
      decideVolume(
        { volume: volume({ metadata: { annotations }, spec: toData }), claim: elsewhere, claimsAt: revision(9) },
        now,
      ).actions[0] as unknown as { object: PersistentVolume }
    ).object;
  expect(after({ [boundByController]: "yes" }).spec.claimRef).toBeUndefined();
  expect(after({}).spec.claimRef).toMatchObject({ name: "data", namespace: "default" });
  expect(after({}).spec.claimRef?.uid).toBeUndefined();
});

const inKind = <T extends ApiObject>(objects: readonly ApiObject[], kind: string): readonly T[] =>
  objects.filter((o): o is T => o.kind === kind);
type Claims = readonly PersistentVolumeClaim[];
type Volumes = readonly PersistentVolume[];

/** What the controllers do for one object, seen through views of two moments. */
function decided(name: string, seenClaims: readonly ApiObject[], seenVolumes: readonly ApiObject[]): readonly Action[] {
  const [cs, vs] = [
    inKind<PersistentVolumeClaim>(seenClaims, "PersistentVolumeClaim"),
    inKind<PersistentVolume>(seenVolumes, "PersistentVolume"),
  ];
  const of = cs.find(({ metadata }) => metadata.name === name);
  if (of) {
    const itsVolume = vs.find(({ metadata }) => metadata.name === of.spec.volumeName);
    const referring = vs.filter(({ spec }) => spec.claimRef?.name === name);
    const candidates = referring.length > 0 ? referring : vs.filter(({ spec }) => !spec.claimRef);
    return decideClaim(observed({ claim: of, named: itsVolume, candidates }), now).actions;
  }
  const pv = vs.find(({ metadata }) => metadata.name === name);
  if (pv === undefined) return [];
  const itsClaim = cs.find(({ metadata }) => metadata.name === pv.spec.claimRef?.name);
  return decideVolume({ volume: pv, claim: itsClaim, claimsAt: revision(revisionIn(seenClaims)) }, now).actions;
}

/** No two claims name one volume, and none that is bound changes its volume. */
function expectOnce(before: readonly ApiObject[], after: readonly ApiObject[]): void {
  const names = (objects: readonly ApiObject[]): ReadonlyMap<string, string> =>
    new Map(
      (inKind(objects, "PersistentVolumeClaim") as Claims).flatMap(({ metadata, spec }) =>
        spec.volumeName ? [[metadata.name, spec.volumeName] as const] : [],
      ),
    );
  const [was, is] = [names(before), names(after)];
  expect(new Set(is.values()).size).toBe(is.size);
  for (const [name, to] of was) expect(is.get(name)).toBe(to);
}

test("claims and volumes: bound once and for ever, whatever is written between, however old the views", () => {
  const step = fc.record({ which: fc.nat(99), claimsAge: fc.nat(6), volumesAge: fc.nat(6), cut: fc.nat(3) });
  const sizes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(sizes, sizes, fc.array(step, { maxLength: 60 }), (claimSizes, volumeSizes, steps) => {
      const world = store([
        ...claimSizes.map((gi, i) =>
          claim({ name: `c${i}`, spec: { resources: { requests: { storage: `${gi}Gi` } } } }),
        ),
        ...volumeSizes.map((gi, i) => volume({ name: `v${i}`, spec: { capacity: { storage: `${gi}Gi` } } })),
      ]);
      const names = world.now().map(({ metadata }) => metadata.name);
      const act = (name: string, seen: readonly [readonly ApiObject[], readonly ApiObject[]], cut: number): boolean => {
        let isWritten = false;
        // A process that is killed has carried out the first of its actions.
        for (const action of decided(name, ...seen)
          .filter((a) => a.do !== "event")
          .slice(0, cut)) {
          const before = world.now();
          if (!world.write(action)) break;
          isWritten = true;
          expectOnce(before, world.now());
        }
        return isWritten;
      };
      const past = (age: number): readonly ApiObject[] => world.history[Math.max(0, world.history.length - 1 - age)]!;
      for (const { which, claimsAge, volumesAge, cut } of steps)
        act(names[which % names.length]!, [past(claimsAge), past(volumesAge)], cut);
      let looks = 0;
      while (names.filter((name) => act(name, [past(0), past(0)], 9)).length > 0) expect(++looks).toBeLessThan(50);
      const final = inKind(world.now(), "PersistentVolume") as Volumes;
      const boundClaims = (inKind(world.now(), "PersistentVolumeClaim") as Claims).filter(
        (c) => c.status?.phase === "Bound",
      );
      expect(final.filter((v) => v.status?.phase === "Bound")).toHaveLength(boundClaims.length);
      expect(final.every((v) => ["Bound", "Available"].includes(v.status?.phase ?? ""))).toBe(true);
    }),
    { numRuns: 500 },
  );
});
