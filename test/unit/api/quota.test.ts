// Quotas: the usage of objects, scopes, and refused writes.
import { expect, test } from "vitest";
import { charge } from "../../../api/core/quota/charge.ts";
import { countUsage } from "../../../api/core/quota/count.ts";
import { isInScopes } from "../../../api/core/quota/scopes.ts";
import { usageOfPod } from "../../../api/core/quota/covered-claims.ts";
import { countsIn, summed, usageOf } from "../../../api/core/quota/usage.ts";
import { deployments } from "../../../api/apps/deployments.ts";
import { configMaps } from "../../../api/core/configmaps.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { pods } from "../../../api/core/pods.ts";
import type { ResourceQuota } from "../../../api/core/resourcequotas.ts";
import { services } from "../../../api/core/services.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { DeviceClass, Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import type { ApiObject } from "../../../api/meta.ts";

const object = (content: object): ApiObject => ({ metadata: { name: "x", namespace: "default" }, ...content }) as never;
const pod = (spec: object, status: object = {}): ApiObject =>
  object({ spec: { containers: [{ name: "web" }], ...spec }, status });
const sized = (requests: object, limits: object = {}): object => ({
  containers: [{ name: "web", resources: { requests, limits } }],
});
const one = { "count/pods": "1" };

const usages: readonly (readonly [what: string, r: ResourceDefinition, object: ApiObject, usage: object])[] = [
  ["a pod without requests", pods, pod({}), { ...one, pods: "1" }],
  [
    "a pod with requests and limits",
    pods,
    pod(sized({ cpu: "500m", memory: "1Gi" }, { cpu: "1" })),
    {
      ...one,
      pods: "1",
      cpu: "500m",
      "requests.cpu": "500m",
      "limits.cpu": "1",
      memory: "1Gi",
      "requests.memory": "1Gi",
    },
  ],
  [
    "the overhead of a runtime",
    pods,
    pod({ ...sized({ cpu: "500m" }), overhead: { cpu: "250m" } }),
    { ...one, pods: "1", cpu: "750m", "requests.cpu": "750m", "limits.cpu": "250m" },
  ],
  [
    "extended resources and huge pages",
    pods,
    pod(sized({ "example.com/gpu": "2", "hugepages-2Mi": "4Mi" })),
    {
      ...{ ...one, pods: "1", "requests.example.com/gpu": "2" },
      ...{ "hugepages-2Mi": "4Mi", "requests.hugepages-2Mi": "4Mi" },
    },
  ],
  [
    "devices by the name of their class",
    pods,
    pod(sized({ "deviceclass.resource.kubernetes.io/gpus": "2" })),
    { ...one, pods: "1", "requests.deviceclass.resource.kubernetes.io/gpus": "2" },
  ],
  ["a pod that has ended", pods, pod(sized({ cpu: "1" }), { phase: "Succeeded" }), one],
  ["a ClusterIP service", services, object({ spec: { type: "ClusterIP", ports: [{}] } }), { services: "1" }],
  [
    "a NodePort service",
    services,
    object({ spec: { type: "NodePort", ports: [{ nodePort: 1 }, { nodePort: 2 }] } }),
    { services: "1", "services.nodeports": "2" },
  ],
  [
    "a load balancer without node ports",
    services,
    object({ spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: [{}] } }),
    { services: "1", "services.loadbalancers": "1" },
  ],
  [
    "a claim of a class",
    persistentVolumeClaims,
    object({ spec: { storageClassName: "gold", resources: { requests: { storage: "1Gi" } } } }),
    {
      ...{ persistentvolumeclaims: "1", "requests.storage": "1Gi" },
      "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
      "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
    },
  ],
  ["a config map", configMaps, object({}), { configmaps: "1" }],
  ["a deployment", deployments, object({ spec: {} }), {}],
  [
    "a claim for devices",
    resourceClaims,
    object({
      spec: {
        devices: {
          requests: [
            { name: "a", exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 2 } },
            { name: "b", firstAvailable: [{ deviceClassName: "gpu", count: 3 }, { deviceClassName: "fpga" }] },
          ],
        },
      },
    }),
    { "gpu.deviceclass.resource.k8s.io/devices": "5", "fpga.deviceclass.resource.k8s.io/devices": "1" },
  ],
];
const countName = (r: ResourceDefinition): string => `count/${r.plural}${r.group === "" ? "" : `.${r.group}`}`;
test.each(usages)("%s counts as", (_, r, counted, usage) => {
  expect(usageOf(r, counted)).toEqual({ [countName(r)]: "1", ...usage });
  for (const name of Object.keys(usage)) expect([name, countsIn(r, name)]).toEqual([name, true]);
});

const quota = (hard: object, used: object | undefined, spec: object = {}): ResourceQuota =>
  ({
    metadata: { name: "team", namespace: "default", uid: "q" },
    spec: { hard, ...spec },
    status: used && { hard, used },
  }) as never;
const scoped = (scope: string, operator?: string, ...values: string[]): ResourceQuota =>
  quota(
    {},
    {},
    operator === undefined
      ? { scopes: [scope] }
      : { scopeSelector: { matchExpressions: [{ scopeName: scope, operator, values }] } },
  );
const term = { topologyKey: "zone", namespaces: ["other"] };
const gold = object({ spec: { volumeAttributesClassName: "gold" } });

const scopes: readonly (readonly [what: string, ResourceQuota, ResourceDefinition, ApiObject, boolean])[] = [
  ["no scope", quota({}, {}), configMaps, object({}), true],
  ["Terminating, with a deadline", scoped("Terminating"), pods, pod({ activeDeadlineSeconds: 0 }), true],
  ["Terminating, without one", scoped("Terminating"), pods, pod({}), false],
  ["NotTerminating, with a deadline", scoped("NotTerminating"), pods, pod({ activeDeadlineSeconds: 5 }), false],
  ["BestEffort, without requests", scoped("BestEffort"), pods, pod({}), true],
  ["NotBestEffort, without requests", scoped("NotBestEffort"), pods, pod({}), false],
  ["NotBestEffort, with requests", scoped("NotBestEffort"), pods, pod(sized({ cpu: "1" })), true],
  ["any priority class", scoped("PriorityClass"), pods, pod({ priorityClassName: "high" }), true],
  ["any priority class, without one", scoped("PriorityClass"), pods, pod({}), false],
  ["one of classes", scoped("PriorityClass", "In", "high"), pods, pod({ priorityClassName: "high" }), true],
  [
    "one of classes, with another",
    scoped("PriorityClass", "In", "high"),
    pods,
    pod({ priorityClassName: "low" }),
    false,
  ],
  ["none of classes, without one", scoped("PriorityClass", "NotIn", "high"), pods, pod({}), true],
  ["no class", scoped("PriorityClass", "DoesNotExist"), pods, pod({ priorityClassName: "low" }), false],
  [
    "affinity across namespaces",
    scoped("CrossNamespacePodAffinity"),
    pods,
    pod({
      affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm: term }] } },
    }),
    true,
  ],
  ["affinity within the namespace", scoped("CrossNamespacePodAffinity"), pods, pod({ affinity: {} }), false],
  ["a scope of pods, for a service", scoped("BestEffort"), services, object({ spec: {} }), false],
  ["a class of claims", scoped("VolumeAttributesClass", "In", "gold"), persistentVolumeClaims, gold, true],
  ["another class of claims", scoped("VolumeAttributesClass", "In", "iron"), persistentVolumeClaims, gold, false],
];
test.each(scopes)("%s", (_, scope, r, covered, expected) => expect(isInScopes(scope, r, covered)).toBe(expected));

const cpu = (amount: string): ApiObject => pod(sized({ cpu: amount }));
const charges: readonly (readonly [what: string, ResourceQuota, object, object | undefined])[] = [
  ["a new pod", quota({ pods: "3" }, { pods: "1" }), { after: pod({}) }, { used: { pods: "2" } }],
  ["a pod that is removed", quota({ pods: "3" }, { pods: "1" }), { before: pod({}) }, { used: { pods: "0" } }],
  [
    "a pod that ends",
    quota({ pods: "3", "count/pods": "3" }, { pods: "1", "count/pods": "1" }),
    { before: pod({}), after: pod({}, { phase: "Failed" }) },
    { used: { pods: "0", "count/pods": "1" } },
  ],
  ["a pod that does not change", quota({ pods: "3" }, { pods: "1" }), { before: pod({}), after: pod({}) }, undefined],
  [
    "a resource that the quota does not limit",
    quota({ secrets: "3" }, { secrets: "1" }),
    { after: pod({}) },
    undefined,
  ],
  ["a quota not counted yet", quota({ pods: "0" }, undefined), { after: pod({}) }, { used: {} }],
  [
    "one pod too many",
    quota({ pods: "1", cpu: "4" }, { pods: "1", cpu: "500m" }),
    { after: cpu("1") },
    { refused: "exceeded quota: team, requested: pods=1, used: pods=1, limited: pods=1" },
  ],
  [
    "too much of two resources",
    quota({ "requests.cpu": "1", cpu: "1" }, { "requests.cpu": "500m", cpu: "500m" }),
    { after: cpu("600m") },
    {
      refused:
        "exceeded quota: team, requested: cpu=600m,requests.cpu=600m, used: cpu=500m,requests.cpu=500m, limited: cpu=1,requests.cpu=1",
    },
  ],
  [
    "a pod that does not state what is limited",
    quota({ "limits.cpu": "1", memory: "1Gi", "limits.memory": "1Gi" }, {}),
    { after: pod(sized({}, { cpu: "1" })) },
    { refused: "failed quota: team: must specify limits.memory for: web; memory for: web" },
  ],
  [
    "a decrease of an exceeded resource",
    quota({ cpu: "1" }, { cpu: "3" }),
    { before: cpu("2"), after: cpu("1") },
    { used: { cpu: "2" } },
  ],
];
test.each(charges)("%s", (_, of, replacement, expected) =>
  expect(charge(of, pods, { before: undefined, after: undefined, ...replacement })).toEqual(expected),
);

test("sums keep the format of the first nonzero amount", () => {
  expect(summed("0", "1Gi")).toBe("1Gi");
  expect(summed("1Gi", "512Mi")).toBe("1536Mi");
  expect(summed("1", "500m", -1n)).toBe("500m");
});

test("a count has every limited resource and only objects in scope", () => {
  const counted = quota({ pods: "9", cpu: "9", secrets: "9" }, undefined, { scopes: ["NotBestEffort"] });
  expect(countUsage(counted, [{ r: pods, objects: [cpu("500m"), pod({}), cpu("250m")] }])).toEqual({
    ...{ pods: "2", cpu: "750m", secrets: "0" },
  });
});

const classes = [
  { metadata: { name: "gpus" }, spec: { extendedResourceName: "example.com/gpu" } },
  { metadata: { name: "nics" }, spec: {} },
] as unknown as readonly DeviceClass[];
const made = (name: string, owner: object | undefined, more: object = {}): ResourceClaim =>
  ({
    metadata: {
      ...{ name, namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" },
      ...(owner && {
        annotations: { "resource.kubernetes.io/extended-resource-claim": "true" },
        ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "u", controller: true, ...owner }],
      }),
      ...more,
    },
    spec: {
      devices: {
        requests: [
          { name: "a", exactly: { deviceClassName: "gpus", allocationMode: "ExactCount", count: 3 } },
          { name: "b", exactly: { deviceClassName: "nics", allocationMode: "ExactCount", count: 1 } },
          { name: "c", exactly: { deviceClassName: "gone", allocationMode: "ExactCount", count: 1 } },
        ],
      },
    },
  }) as unknown as ResourceClaim;
const owner = (status: object = {}): Pod =>
  ({
    ...pod(sized({ "example.com/gpu": "2" }), status),
    metadata: { name: "p", namespace: "default", uid: "u" },
  }) as Pod;
const byClass = {
  ...{ "count/resourceclaims.resource.k8s.io": "1", "gpus.deviceclass.resource.k8s.io/devices": "3" },
  ...{ "nics.deviceclass.resource.k8s.io/devices": "1", "gone.deviceclass.resource.k8s.io/devices": "1" },
};
const prefix = "requests.deviceclass.resource.kubernetes.io";
const uncovered = { [`${prefix}/gpus`]: "3", [`${prefix}/nics`]: "1", "requests.example.com/gpu": "3" };
const covered = { ...uncovered, "requests.example.com/gpu": "1" };
const claims: readonly (readonly [what: string, claim: ResourceClaim, pod: Pod | undefined, usage: object])[] = [
  ["a claim counts as what its classes provide", made("c", undefined), owner(), uncovered],
  ["what its pod counts for is not counted again", made("c", {}), owner(), covered],
  ["the pod is gone", made("c", {}), undefined, uncovered],
  ["the pod is another", made("c", { uid: "v" }), owner(), uncovered],
  ["the pod has ended", made("c", {}), owner({ phase: "Succeeded" }), uncovered],
  ["the pod names it", made("c", {}), owner({ extendedResourceClaimStatus: { resourceClaimName: "c" } }), covered],
  [
    "the pod names another",
    made("c", {}),
    owner({ extendedResourceClaimStatus: { resourceClaimName: "d" } }),
    uncovered,
  ],
  ["another was made before", made("d", {}), owner(), uncovered],
  ["another was made later", made("d", {}, { creationTimestamp: "2025-01-01T00:00:00Z" }), owner(), covered],
];
test.each(claims)("extended resources of claims: %s", (_, claim, found, usage) => {
  const objects = { pod: () => found, claims: () => [made("c", {}), claim] };
  const devices = { classes, covered: (c: ResourceClaim) => usageOfPod(c, objects) };
  expect(usageOf(resourceClaims, claim, devices)).toEqual({ ...byClass, ...usage });
});
test("resources that claims may count in", () => {
  const names = ["requests.example.com/gpu", `${prefix}/gpus`, "requests.cpu", "limits.example.com/gpu", "pods"];
  expect(names.filter((name) => countsIn(resourceClaims, name))).toEqual(names.slice(0, 2));
});
