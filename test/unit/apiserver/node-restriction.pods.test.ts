// NodeRestriction of pods: each refusal word for word.
import { beforeEach, expect, test } from "vitest";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { type Cluster, cluster, inDefault, outcomeOf } from "./kubelet-writes.ts";

let c: Cluster;
beforeEach(async () => {
  c = await cluster({ decide: () => ({ allowed: false }) });
});

const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
const annotations = { "kubernetes.io/config.mirror": "1" };
const owner = { apiVersion: "v1", kind: "Node", name: "n", uid: "", controller: true };
const mirror = (own: object = {}, more: object = {}) => ({
  metadata: { name: "p", namespace: "default", annotations, ownerReferences: [{ ...owner, ...own }] },
  spec: { ...spec, ...more },
});
const withOwners = (...ownerReferences: object[]) => ({
  ...mirror(),
  metadata: { ...mirror().metadata, ownerReferences },
});
const table: readonly (readonly [what: string, because: string, draft: (uid: string) => object])[] = [
  [
    "no mirror",
    'pod does not have "kubernetes.io/config.mirror" annotation, node "n" can only create mirror pods',
    () => ({ metadata: { name: "p", namespace: "default" }, spec }),
  ],
  [
    "on another node",
    'node "n" can only create pods with spec.nodeName set to itself',
    () => mirror({}, { nodeName: "m" }),
  ],
  ["unowned", 'node "n" can only create pods with an owner reference set to itself', () => withOwners()],
  [
    "owned by two",
    'node "n" can only create pods with a single owner reference set to itself',
    (uid) => withOwners({ ...owner, uid }, { ...owner, controller: false, name: "m", uid: "x" }),
  ],
  [
    "owned by another node",
    'node "n" can only create pods with an owner reference set to itself',
    () => mirror({ name: "m", uid: "x" }),
  ],
  [
    "not controlled",
    'node "n" can only create pods with a controller owner reference set to itself',
    (uid) => mirror({ uid, controller: false }),
  ],
  [
    "blocking",
    'node "n" must not set blockOwnerDeletion on an owner reference',
    (uid) => mirror({ uid, blockOwnerDeletion: true }),
  ],
  [
    "with a configmap",
    'node "n" can not create pods that reference configmaps',
    (uid) => mirror({ uid }, { volumes: [{ name: "v", configMap: { name: "c" } }] }),
  ],
  [
    "with an env of a configmap",
    'node "n" can not create pods that reference configmaps',
    (uid) => mirror({ uid }, { containers: [{ name: "c", image: "i", envFrom: [{ configMapRef: { name: "c" } }] }] }),
  ],
  [
    "with a claim",
    'node "n" can not create pods that reference persistentvolumeclaims',
    (uid) => mirror({ uid }, { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] }),
  ],
  [
    "with an ephemeral claim",
    'node "n" can not create pods that reference persistentvolumeclaims (via ephemeral volumes)',
    (uid) =>
      mirror(
        { uid },
        {
          volumes: [
            {
              name: "v",
              ephemeral: {
                volumeClaimTemplate: {
                  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1" } } },
                },
              },
            },
          ],
        },
      ),
  ],
  [
    "with a driver's volume",
    'node "n" can not create pods that reference csidrivers (via CSI volumes)',
    (uid) => mirror({ uid }, { volumes: [{ name: "v", csi: { driver: "d.example.com" } }] }),
  ],
  [
    "with a device",
    'node "n" can not create pods that reference resourceclaims',
    (uid) => mirror({ uid }, { resourceClaims: [{ name: "r", resourceClaimName: "c" }] }),
  ],
  [
    "with a bundle",
    'node "n" can not create pods that reference clustertrustbundles',
    (uid) =>
      mirror(
        { uid },
        { volumes: [{ name: "v", projected: { sources: [{ clusterTrustBundle: { name: "b", path: "p" } }] } }] },
      ),
  ],
  [
    "with an account",
    "a mirror pod may not reference service accounts",
    (uid) => mirror({ uid }, { serviceAccountName: "default" }),
  ],
  [
    "with a secret",
    "a mirror pod may not reference secrets",
    (uid) => mirror({ uid }, { imagePullSecrets: [{ name: "s" }] }),
  ],
  [
    "with a token",
    "a mirror pod may not use ServiceAccountToken volume projections",
    (uid) =>
      mirror({ uid }, { volumes: [{ name: "v", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }] }),
  ],
];
test.each(table)("a new pod is refused: %s", async (_, because, draft) => {
  const { uid } = (await c.make(nodes, { metadata: { name: "n" } })).metadata;
  expect(await outcomeOf(c.create(pods, draft(uid)))).toBe(`pods "p" is forbidden: ${because}`);
});
test("a mirror of the node is allowed, and has no account", async () => {
  expect(await outcomeOf(c.create(pods, mirror({ uid: "x" })))).toBe('node "n" not found');
  const { uid } = (await c.make(nodes, { metadata: { name: "n" } })).metadata;
  expect(await outcomeOf(c.create(pods, mirror({ uid: "x" })))).toBe(
    `pods "p" is forbidden: node n UID mismatch: expected x got ${uid}`,
  );
  const volumes = [
    { name: "v", hostPath: { path: "/" } },
    { name: "w", projected: { sources: [{ downwardAPI: {} }] } },
  ];
  const made = await c.create(pods, mirror({ uid }, { volumes }));
  expect(made.spec.serviceAccountName).toBeUndefined();
});
test("its own pods are reported, evicted and deleted, others are not", async () => {
  for (const [name, nodeName] of [
    ["own", "n"],
    ["other", "m"],
  ] as const)
    await c.make(pods, { metadata: { name, namespace: "default", labels: { a: "b" } }, spec: { ...spec, nodeName } });
  const report = (name: string, next: object, metadata: object = {}) =>
    outcomeOf(
      c.change(
        pods,
        inDefault(name),
        (o) => ({ ...o, metadata: { ...o.metadata, ...metadata }, status: { ...o.status, ...next } }),
        "status",
      ),
    );
  expect(await report("own", { phase: "Running" })).toBe("allowed");
  expect(await report("other", { phase: "Running" })).toBe(
    'pods "other" is forbidden: node "n" can only update pod status for pods with spec.nodeName set to itself',
  );
  expect(await report("own", { resourceClaimStatuses: [{ name: "x", resourceClaimName: "y" }] })).toBe(
    'pods "own" is forbidden: node "n" cannot update resource claim statues',
  );
  expect(await report("own", { extendedResourceClaimStatus: { resourceClaimName: "y", requestMappings: [] } })).toBe(
    'pods "own" is forbidden: node "n" cannot update extended resource claim status',
  );
  expect(await outcomeOf(c.change(pods, inDefault("own"), (o) => ({ ...o, spec: { ...o.spec } })))).toBe(
    'pods "own" is forbidden: unexpected operation "UPDATE", node "n" can only create and delete mirror pods',
  );
  const evict = (name: string) => outcomeOf(c.send(pods, inDefault(name), "eviction", { metadata: { name } }));
  expect(await evict("own")).toBe("allowed");
  expect(await evict("none")).toBe('pod "none" not found');
  expect(await evict("other")).toBe(
    'pods "other" is forbidden: node n can only evict pods with spec.nodeName set to itself',
  );
  const remove = (name: string) => outcomeOf(c.remove(pods, inDefault(name)));
  expect(await remove("other")).toBe(
    'pods "other" is forbidden: node "n" can only delete pods with spec.nodeName set to itself',
  );
  expect(await remove("own")).toBe("allowed");
});
test("other subresources are refused", async () => {
  await c.make(pods, { metadata: { name: "own", namespace: "default" }, spec });
  const write = c.change(pods, inDefault("own"), (o) => o, "ephemeralcontainers");
  expect(await outcomeOf(write)).toBe(
    `pods "own" is forbidden: unexpected pod subresource "ephemeralcontainers", only 'status' and 'eviction' are allowed`,
  );
});
