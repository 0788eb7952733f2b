// The node authorizer: each refusal word for word, and decisions from the graph equal a plain reading of all objects
// while these come, change and go.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PersistentVolume, Pod } from "../../../api/generated/types.ts";
import { type Key, key, keyOf } from "../../../api/meta.ts";
import type { RequestInfo, User } from "../../../apiserver/authorization/authorizer.ts";
import { decide } from "../../../apiserver/authorization/node/decide.ts";
import { type NodeGraph, nodeGraph } from "../../../apiserver/authorization/node/graph.ts";
import type { ReachedKind } from "../../../apiserver/authorization/node/references.ts";

const kubelet = (name: string): User => ({ name: `system:node:${name}`, groups: ["system:nodes"] });

const pod = (name: string, nodeName: string | undefined, spec: object = {}, more: object = {}): Pod =>
  ({ metadata: { name, namespace: "x", uid: name }, spec: { containers: [], ...spec, nodeName }, ...more }) as never;
const volume = (name: string, claimRef: object | undefined, source: object = {}): PersistentVolume =>
  ({ metadata: { name }, spec: { ...(claimRef && { claimRef }), ...source } }) as never;

/** A pod of every sort of reference on the node n, and objects that lead on from it. */
function furnished(): NodeGraph {
  const graph = nodeGraph();
  const full = pod(
    "p",
    "n",
    {
      serviceAccountName: "bot",
      imagePullSecrets: [{ name: "pull" }],
      initContainers: [{ envFrom: [{ secretRef: { name: "init-env" } }] }],
      containers: [
        {
          env: [
            { valueFrom: { secretKeyRef: { name: "env" } } },
            { valueFrom: { configMapKeyRef: { name: "cm-env" } } },
          ],
        },
      ],
      ephemeralContainers: [{ envFrom: [{ configMapRef: { name: "cm-debug" } }, { secretRef: { name: "debug" } }] }],
      volumes: [
        { name: "a", secret: { secretName: "mounted" } },
        { name: "b", configMap: { name: "cm" } },
        { name: "c", projected: { sources: [{ secret: { name: "shown" } }, { configMap: { name: "cm-shown" } }] } },
        { name: "d", persistentVolumeClaim: { claimName: "claim" } },
        { name: "e", ephemeral: { volumeClaimTemplate: {} } },
        { name: "f", csi: { driver: "d", nodePublishSecretRef: { name: "inline" } } },
        { name: "g", iscsi: { secretRef: { name: "chap" } } },
        { name: "h", azureFile: { secretName: "azure" } },
      ],
      resourceClaims: [
        { name: "own", resourceClaimName: "gpu" },
        { name: "made", resourceClaimTemplateName: "t" },
      ],
    },
    {
      status: {
        resourceClaimStatuses: [{ name: "made", resourceClaimName: "p-made" }],
        extendedResourceClaimStatus: { resourceClaimName: "p-extended" },
      },
    },
  );
  graph.setPod(keyOf(full), full);
  const mirror = pod("static", "n", { serviceAccountName: "static", volumes: [{ secret: { secretName: "static" } }] });
  graph.setPod(key("x", "static"), {
    ...mirror,
    metadata: { ...mirror.metadata, annotations: { "kubernetes.io/config.mirror": "1" } },
  } as Pod);
  const elsewhere = pod("q", "m", { volumes: [{ name: "v", secret: { secretName: "foreign" } }] });
  graph.setPod(keyOf(elsewhere), elsewhere);
  const csi = {
    controllerPublishSecretRef: { namespace: "x", name: "controller" },
    nodeStageSecretRef: { namespace: "csi", name: "stage" },
    nodePublishSecretRef: { namespace: "csi", name: "publish" },
    nodeExpandSecretRef: { namespace: "csi", name: "expand" },
  };
  const claimRef = { namespace: "x", name: "claim" };
  for (const v of [
    volume("pv", claimRef, { csi }),
    volume("pv-ephemeral", { namespace: "x", name: "p-e" }, { rbd: { secretRef: { name: "ceph" } } }),
    volume("pv-free", undefined, { csi: { nodeStageSecretRef: { namespace: "x", name: "free" } } }),
    volume("pv-azure", claimRef, { azureFile: { secretNamespace: "az", secretName: "key" } }),
  ])
    graph.setVolume(keyOf(v), v);
  graph.setNamed("volumeattachments", key(undefined, "va"), "n");
  graph.setNamed("volumeattachments", key(undefined, "va-foreign"), "m");
  graph.setNamed("resourceslices", key(undefined, "slice"), "n");
  graph.setNamed("resourceslices", key(undefined, "slice-foreign"), "m");
  return graph;
}

const graph = furnished();
const decided = (info: RequestInfo, user = kubelet("n")): boolean | string => {
  const { allowed, reason } = decide(graph, { ...info, user });
  return reason ?? allowed;
};
const unrelated = "no relationship found between node 'n' and this object";

const reached: readonly (readonly [group: string, resource: ReachedKind, namespace: string, ...names: string[]])[] = [
  ["", "secrets", "x", "pull", "init-env", "env", "debug", "mounted", "shown", "inline", "chap", "azure", "ceph"],
  ["", "secrets", "csi", "stage", "publish", "expand"],
  ["", "secrets", "az", "key"],
  ["", "configmaps", "x", "cm", "cm-env", "cm-debug", "cm-shown"],
  ["", "persistentvolumeclaims", "x", "claim", "p-e"],
  ["", "persistentvolumes", "", "pv", "pv-ephemeral", "pv-azure"],
  ["", "pods", "x", "p", "static"],
  ["", "serviceaccounts", "x", "bot"],
  ["resource.k8s.io", "resourceclaims", "x", "gpu", "p-made", "p-extended"],
  ["storage.k8s.io", "volumeattachments", "", "va"],
  ["resource.k8s.io", "resourceslices", "", "slice"],
];
for (const [group, resource, namespace, ...names] of reached)
  test.each(names)(`a node gets ${resource} in "${namespace}": %s`, (name) => {
    const info = { verb: "get", group, resource, name, ...(namespace && { namespace }) };
    expect(decided(info)).toBe(true);
    expect(decided(info, kubelet("m"))).toBe("no relationship found between node 'm' and this object");
    expect(decided({ ...info, namespace: "y" })).toBe(unrelated);
  });

const notReached: readonly (readonly [group: string, resource: string, namespace: string, ...names: string[]])[] = [
  ["", "secrets", "x", "controller", "free", "foreign", "static", "cm", "none"],
  ["", "serviceaccounts", "x", "default", "static"],
  ["", "persistentvolumes", "", "pv-free", "none"],
  ["", "pods", "x", "q"],
  ["resource.k8s.io", "resourceclaims", "x", "made", "t"],
  ["storage.k8s.io", "volumeattachments", "", "va-foreign"],
  ["resource.k8s.io", "resourceslices", "", "slice-foreign"],
];
for (const [group, resource, namespace, ...names] of notReached)
  test.each(names)(`a node does not get ${resource} in "${namespace}": %s`, (name) => {
    expect(decided({ verb: "get", group, resource, name, ...(namespace && { namespace }) })).toBe(unrelated);
  });

const own = (value = "n", equal = true, field = "spec.nodeName") => ({ fieldSelector: [{ field, equal, value }] });
const secret = { group: "", resource: "secrets", namespace: "x", name: "mounted" };
const lease = { group: "coordination.k8s.io", resource: "leases", namespace: "kube-node-lease", name: "n" };
const csiNode = { group: "storage.k8s.io", resource: "csinodes", name: "n" };
const slices = { group: "resource.k8s.io", resource: "resourceslices" };
const pods = { group: "", resource: "pods" };
const nodes = { group: "", resource: "nodes" };
const account = { group: "", resource: "serviceaccounts", namespace: "x", name: "bot" };
const claim = { group: "", resource: "persistentvolumeclaims", namespace: "x", name: "claim" };
const only = {
  read: "can only read resources of this type",
  namespaced: "can only read namespaced object of this type",
  get: "can only get individual resources of this type",
  tokens: "can only create tokens for individual service accounts",
  lease: "can only get, create, update, patch, or delete a node lease",
  csiNode: "can only get, create, update, patch, or delete a CSINode",
  slices: "can only list/watch/deletecollection resourceslices with nodeName field selector",
  pods: "can only list/watch pods with spec.nodeName field selector",
};
const table: readonly (readonly [what: string, info: RequestInfo, expected: boolean | string])[] = [
  ["a watch of a secret by name", { ...secret, verb: "watch" }, true],
  ["a list of a secret by name", { ...secret, verb: "list" }, true],
  [
    "all secrets of a namespace",
    { group: "", resource: "secrets", namespace: "x", verb: "list" },
    "No Object name found",
  ],
  ["all secrets", { group: "", resource: "secrets", verb: "list" }, only.namespaced],
  ["a secret's update", { ...secret, verb: "update" }, only.read],
  ["a secret's subresource", { ...secret, verb: "get", subresource: "status" }, "cannot read subresource"],
  ["secrets of another group", { ...secret, verb: "get", group: "example.com" }, false],
  ["a claim's watch", { ...claim, verb: "watch" }, only.get],
  ["a claim's status, written", { ...claim, verb: "patch", subresource: "status" }, true],
  ["a claim's status, read", { ...claim, verb: "get", subresource: "status" }, "can only get/update/patch this type"],
  ["another claim's status", { ...claim, verb: "update", subresource: "status", name: "none" }, unrelated],
  ["a claim's update", { ...claim, verb: "update" }, only.get],
  [
    "a volume's scale",
    { group: "", resource: "persistentvolumes", name: "pv", verb: "get", subresource: "scale" },
    "cannot get subresource",
  ],
  ["a token", { ...account, verb: "create", subresource: "token" }, true],
  ["a token of another account", { ...account, name: "default", verb: "create", subresource: "token" }, unrelated],
  ["an account's creation", { ...account, verb: "create" }, "can only create token subresource of serviceaccount"],
  ["an account's deletion", { ...account, verb: "delete" }, only.tokens],
  ["a token without an account", { ...account, name: "", verb: "create", subresource: "token" }, only.tokens],
  ["accounts", { group: "", resource: "serviceaccounts", namespace: "x", verb: "list" }, only.tokens],
  ["its lease", { ...lease, verb: "update" }, true],
  ["a new lease", { group: lease.group, resource: "leases", namespace: lease.namespace, verb: "create" }, true],
  [
    "another lease",
    { ...lease, name: "m", verb: "get" },
    "can only access node lease with the same name as the requesting node",
  ],
  [
    "a lease elsewhere",
    { ...lease, namespace: "x", verb: "get" },
    'can only access leases in the "kube-node-lease" system namespace',
  ],
  ["all leases", { ...lease, name: "", verb: "list" }, only.lease],
  ["its CSINode", { ...csiNode, verb: "delete" }, true],
  ["a new CSINode", { ...csiNode, name: "", verb: "create" }, true],
  [
    "another CSINode",
    { ...csiNode, name: "m", verb: "patch" },
    "can only access CSINode with the same name as the requesting node",
  ],
  ["all CSINodes", { ...csiNode, name: "", verb: "watch" }, only.csiNode],
  [
    "a CSINode's status",
    { ...csiNode, verb: "update", subresource: "status" },
    "cannot authorize CSINode subresources",
  ],
  ["its slices", { ...slices, verb: "list", ...own() }, true],
  ["its slices, deleted together", { ...slices, verb: "deletecollection", ...own() }, true],
  ["other slices", { ...slices, verb: "watch", ...own("m") }, only.slices],
  ["all slices but its own", { ...slices, verb: "list", ...own("n", false) }, only.slices],
  ["all slices", { ...slices, verb: "list" }, only.slices],
  ["a new slice", { ...slices, verb: "create" }, true],
  [
    "a slice's status",
    { ...slices, name: "slice", verb: "get", subresource: "status" },
    "cannot authorize ResourceSlice subresources",
  ],
  [
    "a slice's mark",
    { ...slices, name: "slice", verb: "mark" },
    "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection",
  ],
  ["its node", { ...nodes, name: "n", verb: "watch" }, true],
  ["its node before it is there", { ...nodes, name: "n", verb: "get" }, true],
  ["another node", { ...nodes, name: "m", verb: "get" }, "node 'n' cannot read 'm', only its own Node object"],
  ["all nodes", { ...nodes, verb: "list" }, "node 'n' cannot read all nodes, only its own Node object"],
  ["a node's creation", { ...nodes, verb: "create" }, true],
  ["a node's status", { ...nodes, name: "n", subresource: "status", verb: "patch" }, true],
  ["a node's status, read", { ...nodes, name: "n", subresource: "status", verb: "get" }, false],
  ["a node's deletion", { ...nodes, name: "n", verb: "delete" }, false],
  ["a node's proxy", { ...nodes, name: "n", subresource: "proxy", verb: "get" }, false],
  ["its pods", { ...pods, verb: "watch", ...own() }, true],
  ["its pods by another field", { ...pods, verb: "list", ...own("n", true, "spec.host") }, only.pods],
  ["other pods", { ...pods, verb: "list", ...own("m") }, only.pods],
  ["all pods", { ...pods, verb: "list" }, only.pods],
  [
    "its pod, watched by name",
    { ...pods, namespace: "x", name: "p", verb: "watch", ...own("p", true, "metadata.name") },
    true,
  ],
  ["another pod, watched by name", { ...pods, namespace: "x", name: "q", verb: "watch" }, unrelated],
  ["a pod's creation", { ...pods, namespace: "x", verb: "create" }, true],
  ["a pod's deletion", { ...pods, namespace: "x", name: "q", verb: "delete" }, true],
  ["a pod's update", { ...pods, namespace: "x", name: "p", verb: "update" }, false],
  ["a pod's status", { ...pods, namespace: "x", name: "q", verb: "update", subresource: "status" }, true],
  ["a pod's eviction", { ...pods, namespace: "x", name: "q", verb: "create", subresource: "eviction" }, true],
  ["a pod's binding", { ...pods, namespace: "x", name: "p", verb: "create", subresource: "binding" }, false],
  ["a session", { ...pods, namespace: "x", name: "p", verb: "create", subresource: "exec" }, false],
  ["a log", { ...pods, namespace: "x", name: "p", verb: "get", subresource: "log" }, false],
  ["all pods, deleted", { ...pods, namespace: "x", verb: "deletecollection", ...own() }, false],
  ["pod certificates", { group: "certificates.k8s.io", resource: "podcertificaterequests", verb: "create" }, false],
  ["services", { group: "", resource: "services", verb: "list" }, true],
  ["an event", { group: "events.k8s.io", resource: "events", verb: "create" }, true],
  ["a driver", { group: "storage.k8s.io", resource: "csidrivers", verb: "watch" }, true],
  ["runtime classes", { group: "node.k8s.io", resource: "runtimeclasses", verb: "list" }, true],
  ["a review", { group: "authorization.k8s.io", resource: "subjectaccessreviews", verb: "create" }, true],
  ["deployments", { group: "apps", resource: "deployments", verb: "list" }, false],
  ["a kind named like what every object has", { group: "", resource: "constructor", verb: "get" }, false],
  ["a path", { path: "/metrics", verb: "get" }, false],
];
test.each(table)("the kubelet of n: %s", (_, info, expected) => {
  expect(decided(info)).toBe(expected);
});

describe("who is a kubelet", () => {
  const get = { ...secret, verb: "get" };
  test.each<[string, User, boolean | string]>([
    ["by name and group", kubelet("n"), true],
    ["not by the name alone", { name: "system:node:n", groups: ["system:authenticated"] }, false],
    ["not by the group alone", { name: "n", groups: ["system:nodes"] }, false],
    [
      "not without the node's name",
      { name: "system:node:", groups: ["system:nodes"] },
      'unknown node for user "system:node:"',
    ],
  ])("%s", (_, user, expected) => {
    expect(decided(get, user)).toBe(expected);
  });
});

interface ModelPod {
  readonly node: string | undefined;
  readonly isMirror: boolean;
  readonly secrets: readonly string[];
  readonly claims: readonly string[];
}
interface ModelVolume {
  readonly claim: string | undefined;
  readonly secrets: readonly string[];
}
type Step =
  | { readonly what: "pod"; readonly name: string; readonly to: ModelPod | undefined }
  | { readonly what: "volume"; readonly name: string; readonly to: ModelVolume | undefined }
  | { readonly what: "slice"; readonly name: string; readonly to: string | undefined };

const some = (...names: string[]) => fc.subarray(names);
const gone = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const node = fc.constantFrom("n", "m");
const modelPod: fc.Arbitrary<ModelPod> = fc.record({
  node: fc.option(node, { nil: undefined, freq: 4 }),
  isMirror: fc.constantFrom(false, false, false, false, true),
  secrets: some("s", "t", "u"),
  claims: some("c", "d"),
});
const modelVolume: fc.Arbitrary<ModelVolume> = fc.record({
  claim: fc.option(fc.constantFrom("c", "d"), { nil: undefined, freq: 4 }),
  secrets: some("s", "t", "v"),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ what: fc.constant("pod" as const), name: fc.constantFrom("p", "q", "r"), to: gone(modelPod) }),
  fc.record({ what: fc.constant("volume" as const), name: fc.constantFrom("a", "b", "e"), to: gone(modelVolume) }),
  fc.record({ what: fc.constant("slice" as const), name: fc.constantFrom("i", "j"), to: gone(node) }),
);

function apply(all: NodeGraph, { what, name, to }: Step): void {
  if (what === "slice") {
    all.setNamed("resourceslices", key(undefined, name), to);
    return;
  }
  if (what === "volume") {
    const [stage, publish, azure] = to?.secrets ?? [];
    const csi = {
      ...(stage && { nodeStageSecretRef: { namespace: "x", name: stage } }),
      ...(publish && { nodePublishSecretRef: { namespace: "x", name: publish } }),
    };
    const claimRef = to?.claim === undefined ? undefined : { namespace: "x", name: to.claim };
    const source = { csi, ...(azure && { azureFile: { secretName: azure, secretNamespace: "x" } }) };
    all.setVolume(key(undefined, name), to && volume(name, claimRef, source));
    return;
  }
  if (!to) {
    all.setPod(key("x", name), undefined);
    return;
  }
  const volumes = [
    ...to.secrets.map((secretName) => ({ name: secretName, secret: { secretName } })),
    ...to.claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
  ];
  const { metadata, ...rest } = pod(name, to.node, { volumes });
  const annotations = { "kubernetes.io/config.mirror": "1" };
  all.setPod(key("x", name), { ...rest, metadata: { ...metadata, ...(to.isMirror && { annotations }) } } as Pod);
}

/** Reads every object that exists. */
function reads(present: ReadonlyMap<string, Step>, by: string, kind: ReachedKind, name: string): boolean {
  const steps = [...present.values()];
  const own = steps.flatMap((s) => (s.what === "pod" && s.to?.node === by ? [{ ...s.to, name: s.name }] : []));
  const open = own.filter(({ isMirror }) => !isMirror);
  const claims = new Set(open.flatMap((p) => p.claims));
  const bound = steps.flatMap((s) =>
    s.what === "volume" && s.to?.claim !== undefined && claims.has(s.to.claim) ? [{ ...s.to, name: s.name }] : [],
  );
  if (kind === "pods") return own.some((p) => p.name === name);
  if (kind === "persistentvolumeclaims") return claims.has(name);
  if (kind === "persistentvolumes") return bound.some((v) => v.name === name);
  if (kind === "resourceslices") return steps.some((s) => s.what === "slice" && s.name === name && s.to === by);
  return open.some((p) => p.secrets.includes(name)) || bound.some((v) => v.secrets.includes(name));
}

const objects: readonly (readonly [ReachedKind, Key])[] = [
  ...["p", "q", "r"].map((name) => ["pods", key("x", name)] as const),
  ...["s", "t", "u", "v"].map((name) => ["secrets", key("x", name)] as const),
  ...["c", "d"].map((name) => ["persistentvolumeclaims", key("x", name)] as const),
  ...["a", "b", "e"].map((name) => ["persistentvolumes", key(undefined, name)] as const),
  ...["i", "j"].map((name) => ["resourceslices", key(undefined, name)] as const),
];

test("a decision from the graph equals a plain reading of all objects, after every change", () => {
  const seen = { allowed: 0, denied: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
      const all = nodeGraph();
      const present = new Map<string, Step>();
      for (const s of steps) {
        apply(all, s);
        present.set(`${s.what} ${s.name}`, s);
        for (const by of ["n", "m"])
          for (const [kind, at] of objects) {
            const expected = reads(present, by, kind, at.split("/").at(-1)!);
            if (all.reaches(by, kind, at) !== expected) throw new Error(`${by} ${kind} ${at}: ${!expected}`);
            seen[expected ? "allowed" : "denied"]++;
          }
      }
    }),
    { numRuns: 3_000 },
  );
  expect(seen.allowed).toBeGreaterThan(10_000);
  expect(seen.denied).toBeGreaterThan(10_000);
});
