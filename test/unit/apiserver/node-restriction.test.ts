// NodeRestriction of nodes and of what belongs to them: each refusal word for word.
import "reflect-metadata";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { beforeEach, expect, test } from "vitest";
import { certificateSigningRequests } from "../../../api/certificates/certificatesigningrequests.ts";
import { leases } from "../../../api/coordination/leases.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { resourceSlices } from "../../../api/resource/resourceslices.ts";
import { csiNodes } from "../../../api/storage/csi.ts";
import { atCluster, type Cluster, cluster, inDefault, type Kind, outcomeOf } from "./kubelet-writes.ts";

let c: Cluster;
beforeEach(async () => {
  c = await cluster({ decide: () => ({ allowed: false }) });
});
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

const configSource = { configMap: { namespace: "x", name: "y", kubeletConfigKey: "k" } };
const forbiddenText = (because: string): string => `nodes "n" is forbidden: ${because}`;
test.each<[string, object, string]>([
  ["another node", { metadata: { name: "m" } }, 'nodes "m" is forbidden: node "n" is not allowed to modify node "m"'],
  [
    "a config source",
    { metadata: { name: "n" }, spec: { configSource } },
    forbiddenText('node "n" is not allowed to create pods with a non-nil configSource'),
  ],
  [
    "labels of Kubernetes",
    {
      metadata: {
        name: "n",
        labels: {
          "node-role.kubernetes.io/control-plane": "",
          "pods.node-restriction.kubernetes.io/a": "b",
          "node-restriction.kubernetes.io/a": "b",
          "sub.k8s.io/x": "y",
          "kubernetes.io/foo": "bar",
          "example.com/kubernetes.io": "fine",
          plain: "fine",
        },
      },
    },
    forbiddenText(
      'node "n" is not allowed to set the following labels: kubernetes.io/foo, node-restriction.kubernetes.io/a, node-role.kubernetes.io/control-plane, pods.node-restriction.kubernetes.io/a, sub.k8s.io/x',
    ),
  ],
  [
    "labels of kubelets",
    {
      metadata: {
        name: "n",
        labels: {
          "kubernetes.io/hostname": "n",
          "beta.kubernetes.io/os": "linux",
          "topology.kubernetes.io/zone": "a",
          "x.node.kubernetes.io/y": "z",
          "kubelet.kubernetes.io/y": "z",
          "topology.hostpath.csi/node": "n",
        },
      },
      spec: { taints: [{ key: "a", effect: "NoSchedule" }] },
    },
    "allowed",
  ],
])("a new node: %s", async (_, draft, expected) => {
  expect(await outcomeOf(c.create(nodes, draft))).toBe(expected);
});

const withMetadata = (more: object) => (o: any) => ({ ...o, metadata: { ...o.metadata, ...more } });
const withSpec = (more: object) => (o: any) => ({ ...o, spec: { ...o.spec, ...more } });
test.each<[string, (o: any) => object, string]>([
  ["a taint more", withSpec({ taints: [] }), forbiddenText('node "n" is not allowed to modify taints')],
  [
    "a config source",
    withSpec({ configSource }),
    forbiddenText('node "n" is not allowed to update configSource to a new non-nil configSource'),
  ],
  [
    "an owner",
    withMetadata({ ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "x", uid: "y" }] }),
    forbiddenText('node "n" is not allowed to modify ownerReferences'),
  ],
  [
    "a label less",
    withMetadata({ labels: {} }),
    forbiddenText("is not allowed to modify labels: node-role.kubernetes.io/x"),
  ],
  [
    "a label changed",
    withMetadata({ labels: { "node-role.kubernetes.io/x": "y" } }),
    forbiddenText("is not allowed to modify labels: node-role.kubernetes.io/x"),
  ],
  [
    "its own labels",
    (o) => withMetadata({ labels: { ...o.metadata.labels, "kubernetes.io/os": "linux", a: "b" } })(o),
    "allowed",
  ],
  ["unschedulable", withSpec({ unschedulable: true }), "allowed"],
])("an update: %s", async (_, next, expected) => {
  await c.make(nodes, { metadata: { name: "n", labels: { "node-role.kubernetes.io/x": "" } } });
  expect(await outcomeOf(c.change(nodes, atCluster("n"), next))).toBe(expected);
});
test("another node's status and deletion", async () => {
  await c.make(nodes, { metadata: { name: "m" } });
  const because = 'nodes "m" is forbidden: node "n" is not allowed to modify node "m"';
  expect(await outcomeOf(c.change(nodes, atCluster("m"), (o) => o, "status"))).toBe(because);
  expect(await outcomeOf(c.remove(nodes, atCluster("m")))).toBe(because);
});

const lease = (name: string, namespace = "kube-node-lease") => ({ metadata: { name, namespace }, spec: {} });
const slice = (nodeName: string | undefined) => ({
  metadata: { name: "s" },
  spec: {
    driver: "d.example.com",
    pool: { name: "p", generation: 1, resourceSliceCount: 1 },
    ...(nodeName ? { nodeName } : { allNodes: true }),
  },
});
const ownLease = "can only access node lease with the same name as the requesting node";
const ownCsi = "can only access CSINode with the same name as the requesting node";
const ownSlice = "can only create ResourceSlice with the same NodeName as the requesting node";
test.each<[string, Kind, object, string]>([
  ["its lease", leases, lease("n"), "allowed"],
  ["another lease", leases, lease("m"), `leases.coordination.k8s.io "m" is forbidden: ${ownLease}`],
  [
    "a lease elsewhere",
    leases,
    lease("n", "default"),
    'leases.coordination.k8s.io "n" is forbidden: can only access leases in the "kube-node-lease" system namespace',
  ],
  ["its CSINode", csiNodes, { metadata: { name: "n" }, spec: { drivers: [] } }, "allowed"],
  [
    "another CSINode",
    csiNodes,
    { metadata: { name: "m" }, spec: { drivers: [] } },
    `csinodes.storage.k8s.io "m" is forbidden: ${ownCsi}`,
  ],
  ["its slice", resourceSlices, slice("n"), "allowed"],
  ["another slice", resourceSlices, slice("m"), `resourceslices.resource.k8s.io "s" is forbidden: ${ownSlice}`],
  ["a slice of all", resourceSlices, slice(undefined), `resourceslices.resource.k8s.io "s" is forbidden: ${ownSlice}`],
  [
    "a claim",
    persistentVolumeClaims,
    {
      metadata: { name: "c", namespace: "default" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1" } } },
    },
    'persistentvolumeclaims "c" is forbidden: may only update PVC status',
  ],
])("%s", async (_, r, draft, expected) => {
  expect(await outcomeOf(c.create(r, draft))).toBe(expected);
});
test("a slice of another node is not deleted", async () => {
  await c.make(resourceSlices, slice("m"));
  expect(await outcomeOf(c.remove(resourceSlices, atCluster("s")))).toBe(
    'resourceslices.resource.k8s.io "s" is forbidden: can only delete ResourceSlice with the same NodeName as the requesting node',
  );
});
test("of a claim's status only the size is reported", async () => {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  await c.make(persistentVolumeClaims, { metadata: { name: "c", namespace: "default" }, spec });
  const report = (next: (o: any) => object) =>
    outcomeOf(c.change(persistentVolumeClaims, inDefault("c"), next, "status"));
  const status = (more: object) => (o: any) => ({ ...o, status: { ...o.status, ...more } });
  const condition = { type: "Resizing", status: "True" };
  expect(await report(status({ capacity: { storage: "1Gi" }, conditions: [condition] }))).toBe("allowed");
  expect(await report(status({ allocatedResourceStatuses: { storage: "NodeResizeInProgress" } }))).toBe("allowed");
  expect(await report(status({ phase: "Lost" }))).toMatch(
    /^persistentvolumeclaims "c" is forbidden: node "n" is not allowed to update fields other than status.quantity and status.conditions: [\s\S]*-[\s\S]*"phase": "Pending"[\s\S]*\+[\s\S]*"phase": "Lost"/,
  );
  const labelled = await report((o) => ({ ...o, metadata: { ...o.metadata, labels: { a: "b" } } }));
  expect(labelled).toContain("is not allowed to update fields other than status.quantity");
});

const sign = async (signerName: string, commonName: string) => {
  const name = commonName === "" ? "O=system:nodes" : `O=system:nodes,CN=${commonName}`;
  const request = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm });
  const pem = Buffer.from(request.toString("pem")).toString("base64");
  const spec = { request: pem, signerName, usages: ["client auth"] };
  return outcomeOf(c.create(certificateSigningRequests, { metadata: { name: "csr" }, spec }));
};
const clientSigner = "kubernetes.io/kube-apiserver-client-kubelet";
const otherName =
  'certificatesigningrequests.certificates.k8s.io "csr" is forbidden: can only create a node CSR with CN=system:node:n';
test.each<[string, string, string]>([
  [clientSigner, "system:node:n", "allowed"],
  [clientSigner, "system:node:m", otherName],
  ["kubernetes.io/kubelet-serving", "system:node:m", otherName],
  [clientSigner, "", otherName],
  ["example.com/other", "system:node:m", "allowed"],
])("for %s as %s", async (signer, name, expected) => {
  expect(await sign(signer, name)).toBe(expected);
});

test("a kubelet without a node's name writes nothing, and others are not restricted", async () => {
  const nameless = { name: "system:node:", groups: ["system:nodes"] };
  expect(await outcomeOf(c.create(leases, { metadata: { name: "l", namespace: "default" }, spec: {} }, nameless))).toBe(
    'leases.coordination.k8s.io "l" is forbidden: could not determine node from user "system:node:"',
  );
  const like = { name: "system:node:n", groups: ["system:authenticated"] };
  expect(await outcomeOf(c.create(nodes, { metadata: { name: "m" } }, like))).toBe("allowed");
});
