// API groups other than core, over HTTP: the operations of every kind, and the special features of some.
import "reflect-metadata";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import {
  AuthorizationV1Api,
  RbacAuthorizationV1Api,
  CertificatesV1Api,
  CoordinationV1Api,
  CoreV1Api,
  SchedulingV1Api,
} from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour } from "./behaviour.ts";
import { operate, type Operated } from "./operations.ts";
import { patched, refused } from "./requests.ts";

const condition = {
  type: "StatusUpdate",
  status: "True",
  reason: "E2E",
  message: "Set by a test",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};
const network = { apiVersion: "networking.k8s.io/v1" };
const storage = { apiVersion: "storage.k8s.io/v1" };
const admission = { apiVersion: "admissionregistration.k8s.io/v1" };
const flow = { apiVersion: "flowcontrol.apiserver.k8s.io/v1" };
const devices = { apiVersion: "resource.k8s.io/v1" };
const pods = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };
const claim = { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpus" } }] } };

const operated: Readonly<Record<string, Operated>> = {
  "Ingress API should support creating Ingress API operations": {
    ...network,
    kind: "Ingress",
    plural: "ingresses",
    namespaced: true,
    body: { spec: { defaultBackend: { service: { name: "default-backend", port: { number: 80 } } } } },
    status: { loadBalancer: { ingress: [{ ip: "169.1.1.1" }] } },
  },
  "IngressClass API should support creating IngressClass API operations": {
    ...network,
    kind: "IngressClass",
    plural: "ingressclasses",
    body: { spec: { controller: "example.com/controller" } },
  },
  "ServiceCIDR and IPAddress API should support IPAddress API operations": {
    ...network,
    kind: "IPAddress",
    plural: "ipaddresses",
    names: ["192.168.7.9", "192.168.7.10", "192.168.7.11"],
    body: { spec: { parentRef: { resource: "services", namespace: "default", name: "foo" } } },
  },
  "ServiceCIDR and IPAddress API should support ServiceCIDR API operations": {
    ...network,
    kind: "ServiceCIDR",
    plural: "servicecidrs",
    body: { spec: { cidrs: ["10.107.0.0/16"] } },
    status: { conditions: [condition] },
  },
  "EndpointSlice should support creating EndpointSlice API operations": {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    plural: "endpointslices",
    namespaced: true,
    body: { addressType: "IPv4", endpoints: [{ addresses: ["1.2.3.4"] }] },
  },
  "RuntimeClass should support RuntimeClasses API operations": {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    plural: "runtimeclasses",
    body: { handler: "non-existing" },
  },
  "CSIStorageCapacity should support CSIStorageCapacities API operations": {
    ...storage,
    kind: "CSIStorageCapacity",
    plural: "csistoragecapacities",
    namespaced: true,
    body: { storageClassName: "example", capacity: "10Gi" },
  },
  "CSINodes CSI Conformance should run through the lifecycle of a csinode": {
    ...storage,
    kind: "CSINode",
    plural: "csinodes",
    body: { spec: { drivers: [{ name: "e2e-driver", nodeID: "e2e-node" }] } },
  },
  "CSIInlineVolumes should run through the lifecycle of a CSIDriver": {
    ...storage,
    kind: "CSIDriver",
    plural: "csidrivers",
    body: { spec: { volumeLifecycleModes: ["Ephemeral"] } },
  },
  "StorageClasses CSI Conformance should run through the lifecycle of a StorageClass": {
    ...storage,
    kind: "StorageClass",
    plural: "storageclasses",
    body: { provisioner: "e2e-fake-provisioner" },
  },
  "VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment": {
    ...storage,
    kind: "VolumeAttachment",
    plural: "volumeattachments",
    body: { spec: { attacher: "e2e-test.storage.k8s.io", nodeName: "node", source: { persistentVolumeName: "pv" } } },
  },
  "VolumeAttachment Conformance should apply changes to a volumeattachment status": {
    ...storage,
    kind: "VolumeAttachment",
    plural: "volumeattachments",
    body: { spec: { attacher: "e2e-test.storage.k8s.io", nodeName: "node", source: { persistentVolumeName: "pv" } } },
    status: { attached: true },
  },
  "VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run through the lifecycle of a VolumeAttributesClass":
    {
      ...storage,
      kind: "VolumeAttributesClass",
      plural: "volumeattributesclasses",
      body: { driverName: "e2e-fake-csi-driver", parameters: { foo: "bar" } },
    },
  "API priority and fairness should support FlowSchema API operations": {
    ...flow,
    kind: "FlowSchema",
    plural: "flowschemas",
    body: { spec: { matchingPrecedence: 10_000, priorityLevelConfiguration: { name: "global-default" } } },
    status: { conditions: [{ ...condition, type: "foo" }] },
  },
  "API priority and fairness should support PriorityLevelConfiguration API operations": {
    ...flow,
    kind: "PriorityLevelConfiguration",
    plural: "prioritylevelconfigurations",
    body: {
      spec: { type: "Limited", limited: { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } } },
    },
    status: { conditions: [{ ...condition, type: "foo" }] },
  },
  "ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicy API operations": {
    ...admission,
    kind: "ValidatingAdmissionPolicy",
    plural: "validatingadmissionpolicies",
    body: {
      spec: {
        matchConstraints: { resourceRules: [pods] },
        validations: [{ expression: "object.spec.replicas <= 100", message: "too many" }],
      },
    },
    status: { conditions: [condition] },
  },
  "ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicyBinding API operations":
    {
      ...admission,
      kind: "ValidatingAdmissionPolicyBinding",
      plural: "validatingadmissionpolicybindings",
      body: { spec: { policyName: "policy", validationActions: ["Deny"] } },
    },
  "MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicy API operations": {
    ...admission,
    kind: "MutatingAdmissionPolicy",
    plural: "mutatingadmissionpolicies",
    body: {
      spec: {
        matchConstraints: { resourceRules: [pods] },
        reinvocationPolicy: "Never",
        mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{}" } }],
      },
    },
  },
  "MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicyBinding API operations": {
    ...admission,
    kind: "MutatingAdmissionPolicyBinding",
    plural: "mutatingadmissionpolicybindings",
    body: { spec: { policyName: "policy" } },
  },
  "[DRA] CRUD Tests resource.k8s.io/v1 DeviceClass": {
    ...devices,
    kind: "DeviceClass",
    plural: "deviceclasses",
    body: { spec: {} },
  },
  "[DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim": {
    ...devices,
    kind: "ResourceClaim",
    plural: "resourceclaims",
    namespaced: true,
    body: { spec: claim },
    status: {
      allocation: { devices: { results: [{ request: "gpu", driver: "d.com", pool: "p", device: "gpu-0" }] } },
    },
  },
  "[DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate": {
    ...devices,
    kind: "ResourceClaimTemplate",
    plural: "resourceclaimtemplates",
    namespaced: true,
    body: { spec: { spec: claim } },
  },
  "[DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice": {
    ...devices,
    kind: "ResourceSlice",
    plural: "resourceslices",
    body: { spec: { driver: "d.com", nodeName: "node", pool: { name: "p", generation: 1, resourceSliceCount: 1 } } },
  },
};
for (const [name, kind] of Object.entries(operated)) behaviour(name, (context) => operate(context, kind));

behaviour(
  "SchedulerPreemption PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods",
  async ({ client, send, namespace: name }) => {
    const api = client(SchedulingV1Api);
    const made = await api.createPriorityClass({ body: { metadata: { name }, value: 1000 } });
    const path = `/apis/scheduling.k8s.io/v1/priorityclasses/${name}`;
    const { body } = await refused(api.replacePriorityClass({ name, body: { ...made, value: 1001 } }));
    expect([body.reason, body.details.causes[0]]).toEqual([
      "Invalid",
      { reason: "FieldValueForbidden", message: "Forbidden: may not be changed in an update.", field: "value" },
    ]);
    expect((await patched(send, path, { description: "better" })).description).toBe("better");
    expect((await api.readPriorityClass({ name })).value).toBe(1000);
    await api.deletePriorityClass({ name });
    expect((await send(path)).status).toBe(404);
  },
);

behaviour("Lease lease API should be available", async ({ client, send, namespace }) => {
  const api = client(CoordinationV1Api);
  const spec = { holderIdentity: "holder", leaseDurationSeconds: 30, leaseTransitions: 0 };
  await api.createNamespacedLease({ namespace, body: { metadata: { name: "lease" }, spec } });
  const read = await api.readNamespacedLease({ name: "lease", namespace });
  expect(read.spec).toMatchObject(spec);
  const next = { holderIdentity: "holder2", leaseDurationSeconds: 60, leaseTransitions: 1 };
  const put = await api.replaceNamespacedLease({ name: "lease", namespace, body: { ...read, spec: next } });
  expect(put.spec).toMatchObject(next);
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/lease`;
  expect((await patched(send, path, { spec: { leaseDurationSeconds: 70 } }, "strategic")).spec).toMatchObject({
    ...next,
    leaseDurationSeconds: 70,
  });
  await api.createNamespacedLease({
    namespace,
    body: { metadata: { name: "other", labels: { deletecollection: "true" } } },
  });
  await api.deleteCollectionNamespacedLease({ namespace, labelSelector: "deletecollection=true" });
  expect((await api.listNamespacedLease({ namespace })).items.map((l) => l.metadata?.name)).toEqual(["lease"]);
});

/** A certificate request signed with a new key. */
async function signingRequest(): Promise<string> {
  const signingAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(signingAlgorithm, true, ["sign", "verify"]);
  const request = await Pkcs10CertificateRequestGenerator.create({ name: "CN=e2e", keys, signingAlgorithm });
  return Buffer.from(request.toString("pem")).toString("base64");
}

behaviour(
  "Certificates API [Privileged:ClusterAdmin] should support CSR API operations",
  async ({ client, send, namespace: name }) => {
    const api = client(CertificatesV1Api);
    const spec = {
      request: await signingRequest(),
      signerName: "example.com/e2e",
      usages: ["digital signature", "server auth"],
    };
    const made = await api.createCertificateSigningRequest({ body: { metadata: { name }, spec } });
    expect(made.spec).toMatchObject({
      username: "kubernetes-admin",
      groups: ["system:masters", "system:authenticated"],
    });
    const path = `/apis/certificates.k8s.io/v1/certificatesigningrequests/${name}`;
    expect((await patched(send, path, { metadata: { annotations: { patched: "true" } } })).spec).toEqual(made.spec);
    const list = await api.listCertificateSigningRequest({ fieldSelector: "spec.signerName=example.com/e2e" });
    expect(list.items.map((r) => r.metadata?.name)).toEqual([name]);

    const approval = { type: "ApprovalPatch", status: "True", reason: "e2e" };
    const approved = await patched(send, `${path}/approval`, { status: { conditions: [approval] } });
    expect(approved.status.conditions).toMatchObject([approval]);
    const body = {
      ...approved,
      status: { conditions: [...approved.status.conditions, { type: "Approved", status: "True" }] },
    };
    const put = await api.replaceCertificateSigningRequestApproval({ name, body });
    expect(put.status?.conditions?.map((c) => c.type)).toEqual(["ApprovalPatch", "Approved"]);

    const pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
    const certificate = Buffer.from(pem).toString("base64");
    expect((await patched(send, `${path}/status`, { status: { certificate } })).status.certificate).toBe(certificate);
    expect(JSON.parse((await send(`${path}/status`)).text).status.conditions).toHaveLength(2);
    await api.deleteCertificateSigningRequest({ name });
    expect((await send(path)).status).toBe(404);
  },
);

behaviour("SubjectReview should support SubjectReview API operations", async ({ client, namespace }) => {
  await client(CoreV1Api).createNamespacedServiceAccount({ namespace, body: { metadata: { name: "e2e" } } });
  const api = client(AuthorizationV1Api);
  const groups = ["system:authenticated", "system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  const resourceAttributes = { verb: "list", resource: "configmaps", namespace, version: "v1" };
  const spec = { resourceAttributes, user: `system:serviceaccount:${namespace}:e2e`, groups };
  const review = () => api.createSubjectAccessReview({ body: { spec } });
  expect((await review()).status?.allowed).toBe(false);
  await client(RbacAuthorizationV1Api).createNamespacedRoleBinding({
    namespace,
    body: {
      metadata: { name: "e2e" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [{ kind: "ServiceAccount", name: "e2e", namespace }],
    },
  });
  const subjectReview = await vi.waitFor(async () => {
    const allowed = await review();
    expect(allowed.status?.allowed).toBe(true);
    return allowed;
  });
  const there = await api.createNamespacedLocalSubjectAccessReview({
    namespace,
    body: { metadata: { namespace }, spec },
  });
  const anonymous = { ...spec, user: "system:anonymous", groups: ["system:unauthenticated"] };
  const other = await api.createSubjectAccessReview({ body: { spec: anonymous } });
  expect([subjectReview, there, other].map(({ status }) => status?.allowed)).toEqual([true, true, false]);
});
