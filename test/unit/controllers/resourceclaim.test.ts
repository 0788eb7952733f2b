// Claims for devices: made from templates, named in the pod's status, reserved, given back and deleted.
import { expect, test } from "vitest";
import type {
  Pod,
  ResourceClaimTemplate,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import { ownedBy } from "../../../api/meta.ts";
import { decideClaim, type ObservedClaim } from "../../../controllers/resourceclaim/claim.ts";
import { decidePod, type ObservedPod } from "../../../controllers/resourceclaim/pod-claims.ts";
import { ago, asStored, carryOut, pod as podNamed } from "./world.ts";

const finalizers = ["resource.kubernetes.io/delete-protection"];
const allocation = { devices: { results: [{ request: "gpu", driver: "d", pool: "p", device: "gpu-0" }] } };
const spec = { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpus" } }] } };
const template = asStored<ResourceClaimTemplate>({
  kind: "ResourceClaimTemplate",
  metadata: { name: "one-gpu", namespace: "default" },
  spec: { metadata: { labels: { app: "ml" }, annotations: { note: "1" } }, spec },
});
const claim = (name: string, metadata: object = {}, status: object = {}): ResourceClaim =>
  asStored<ResourceClaim>({
    kind: "ResourceClaim",
    metadata: { name, namespace: "default", uid: `uid-of-${name}`, ...metadata },
    spec,
    status,
  });

const entries = [{ name: "gpu", resourceClaimTemplateName: "one-gpu" }];
const user = (more: object = {}, name = "train"): Pod => {
  const { status, ...rest } = podNamed(name, { spec: { nodeName: undefined, resourceClaims: entries } });
  return { ...rest, status: { ...status, ...more } } as Pod;
};
const pod = user();
const own = (name: string, of: Pod = pod, status: object = {}): ResourceClaim =>
  claim(
    name,
    { ownerReferences: [ownedBy(of)], annotations: { "resource.kubernetes.io/pod-claim-name": "gpu" } },
    status,
  );
const named = (name: string): Pod => ({
  ...pod,
  status: { ...pod.status, resourceClaimStatuses: [{ name: "gpu", resourceClaimName: name }] },
});
const onNode = (p: Pod): Pod => ({ ...p, spec: { ...p.spec, nodeName: "n1" } });

test("a claim is made from the template, then named in the pod's status, then nothing is left to do", () => {
  const { actions } = decidePod({ pod, claims: [], templates: [template] });
  const [made] = carryOut(actions, []) as readonly ResourceClaim[];
  expect(made).toMatchObject({
    metadata: {
      generateName: "train-gpu-",
      namespace: "default",
      labels: { app: "ml" },
      annotations: { note: "1", "resource.kubernetes.io/pod-claim-name": "gpu" },
      ownerReferences: [{ kind: "Pod", name: "train", controller: true, blockOwnerDeletion: true }],
    },
    spec,
  });
  const stored = { ...made!, metadata: { ...made!.metadata, name: "train-gpu-x7k2p" } };
  const [after] = carryOut(decidePod({ pod, claims: [stored], templates: [template] }).actions, [pod]) as [Pod];
  expect(after.status?.resourceClaimStatuses).toEqual([{ name: "gpu", resourceClaimName: "train-gpu-x7k2p" }]);
  expect(decidePod({ pod: after, claims: [stored], templates: [] })).toEqual({ actions: [] });
});

const table: readonly (readonly [what: string, observed: Partial<ObservedPod>, expected: object])[] = [
  ["a claim that is gone is made again", { pod: named("lost") }, { actions: [{ do: "create" }] }],
  [
    "a claim of another pod does not count",
    { pod: named("x"), claims: [own("x", user({}, "other"))] },
    { actions: [{ do: "create" }] },
  ],
  [
    "a missing template",
    { templates: [] },
    {
      actions: [
        {
          reason: "FailedResourceClaimCreation",
          message:
            'PodResourceClaim gpu: resource claim template "one-gpu": resourceclaimtemplate.resource.k8s.io "one-gpu" not found',
        },
      ],
      failure: expect.stringContaining("pod default/train, PodResourceClaim gpu: resource claim template"),
    },
  ],
  ["a deleted pod", { pod: podNamed("train", { metadata: { deletionTimestamp: ago(1) } }) }, { actions: [] }],
  [
    "an allocated claim is reserved for a pod on a node",
    { pod: onNode(named("x")), claims: [own("x", pod, { allocation })] },
    { actions: [{ do: "status", status: { allocation, reservedFor: [{ resource: "pods", name: "train" }] } }] },
  ],
  [
    "not for a pod without a node, which the scheduler takes care of",
    { pod: named("x"), claims: [own("x", pod, { allocation })] },
    { actions: [] },
  ],
];
test.each(table)("a pod: %s", (_, observed, expected) =>
  expect(decidePod({ pod, claims: [], templates: [template], ...observed })).toMatchObject(expected),
);

test("a long name is cut in proportion to its parts", () => {
  const { actions } = decidePod({ pod: user({}, "p".repeat(100)), claims: [], templates: [template] });
  expect(actions).toMatchObject([{ draft: { metadata: { generateName: `${"p".repeat(54)}-g` } } }]);
});

const reservedFor = (...pods: readonly Pod[]) =>
  pods.map(({ metadata }) => ({ resource: "pods", name: metadata.name, uid: metadata.uid }));
const inUse = (metadata: object, ...pods: readonly Pod[]): ResourceClaim =>
  claim("shared", { finalizers, ...metadata }, { allocation, reservedFor: reservedFor(...pods) });
const [first, second] = [onNode(user({}, "first")), onNode(user({}, "second"))];
const ended = (p: Pod): Pod => ({ ...p, status: { ...p.status, phase: "Succeeded" } });
const byName = (...pods: readonly Pod[]): ReadonlyMap<string, Pod> => new Map(pods.map((p) => [p.metadata.name, p]));
const deleted = { deletionTimestamp: ago(1) };

interface Row {
  readonly claim: ResourceClaim;
  readonly pods?: readonly Pod[];
  readonly isCurrent?: boolean;
  readonly isDeallocated?: boolean;
  readonly expected: object;
}
const rows: Readonly<Record<string, Row>> = {
  "stays while its pods run": { claim: inUse({}, first, second), pods: [first, second], expected: { actions: [] } },
  "loses the reservation of a pod that has ended": {
    claim: inUse({}, first, second),
    pods: [ended(first), second],
    expected: { actions: [{ do: "status", status: { allocation, reservedFor: reservedFor(second) } }] },
  },
  "loses the allocation with the last reservation": {
    claim: inUse({}, first),
    pods: [ended(first)],
    expected: { actions: [{ do: "status", status: {} }] },
  },
  "loses the reservation of a pod that is gone": {
    claim: inUse({}, first, second),
    pods: [second],
    expected: { actions: [{ do: "status", status: { allocation, reservedFor: reservedFor(second) } }] },
  },
  "of one that was replaced": {
    claim: inUse({}, first),
    pods: [onNode(user({}, "first"))],
    expected: { actions: [{ do: "status", status: {} }] },
  },
  "keeps that of a pod which the view may not show yet": {
    claim: inUse({}, first),
    isCurrent: false,
    expected: { actions: [], requeueAfter: 1000 },
  },
  "keeps other consumers": {
    claim: claim(
      "x",
      { finalizers },
      { allocation, reservedFor: [{ apiGroup: "a.b", resource: "c", name: "d", uid: "e" }] },
    ),
    expected: { actions: [] },
  },
  "keeps an allocation that nothing has used": {
    claim: claim("x", { finalizers }, { allocation }),
    expected: { actions: [] },
  },
  "keeps the finalizer that the scheduler has just added": {
    claim: claim("x", { finalizers }),
    expected: { actions: [] },
  },
  "loses the finalizer once it is deallocated": {
    claim: claim("x", { finalizers }),
    isDeallocated: true,
    expected: { actions: [{ do: "update", object: { metadata: { finalizers: [] } } }] },
  },
  "is deallocated when it is deleted": {
    claim: claim("x", { finalizers, ...deleted }, { allocation }),
    expected: { actions: [{ do: "status", status: {} }] },
  },
  "goes when it is deleted and has no allocation": {
    claim: claim("x", { finalizers, ...deleted }),
    expected: { actions: [{ do: "update", object: { metadata: { finalizers: [] } } }] },
  },
  "is not deallocated when it is deleted and used": {
    claim: inUse(deleted, first),
    pods: [first],
    expected: { actions: [] },
  },
  "that was made for a pod is deleted when it has ended": {
    claim: own("x", first),
    pods: [ended(first)],
    expected: { actions: [{ do: "delete" }] },
  },
  "for extended resources goes with its pod": {
    claim: inUse({ ownerReferences: [ownedBy(first)] }, first),
    pods: [ended(first)],
    expected: { actions: [{ do: "status", status: {} }] },
  },
  "that was made for a pod stays while it runs": { claim: own("x", first), pods: [first], expected: { actions: [] } },
  "that was made for a pod which is gone is left to the garbage collector": {
    claim: own("x", first),
    expected: { actions: [] },
  },
};
test.each(Object.entries(rows))("a claim %s", (_, { expected, pods = [], ...row }) => {
  const observed: ObservedClaim = { isCurrent: true, isDeallocated: false, ...row, pods: byName(...pods) };
  const decision = decideClaim(observed);
  expect(decision).toMatchObject(expected);
  const [after] = carryOut(decision.actions, [row.claim]) as readonly ResourceClaim[];
  if (!after || after.status?.allocation === undefined) return;
  expect(decideClaim({ ...observed, claim: after }).actions).toEqual([]);
});
