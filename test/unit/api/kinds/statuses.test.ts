// Validation of status updates.
import { expect, test } from "vitest";
import { daemonSets } from "../../../../api/apps/daemonsets.ts";
import { replicaSets } from "../../../../api/apps/replicasets.ts";
import { statefulSets } from "../../../../api/apps/statefulsets.ts";
import { replicationControllers } from "../../../../api/core/replicationcontrollers.ts";
import { deployments } from "../../../../api/apps/deployments.ts";
import { flowSchemas } from "../../../../api/flowcontrol/flowschemas.ts";
import { ingresses } from "../../../../api/networking/ingresses.ts";
import { namespaces } from "../../../../api/core/namespaces.ts";
import { nodes } from "../../../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../../api/core/persistentvolumes.ts";
import { podDisruptionBudgets } from "../../../../api/policy/poddisruptionbudgets.ts";
import { pods } from "../../../../api/core/pods.ts";
import { volumeAttachments } from "../../../../api/storage/csi.ts";
import type { ResourceDefinition } from "../../../../api/kinds.ts";
import type { ApiObject, Draft } from "../../../../api/meta.ts";
import { stored, changes, messagesOf } from "./validation-cases.ts";

/** A status, its replacement, and the expected messages. */
type WritableSubresource = readonly [what: string, from: object, to: object, ...messages: string[]];

function statuses<T extends ApiObject>(
  r: ResourceDefinition<T>,
  object: object,
  table: readonly WritableSubresource[],
): void {
  const storedObject = stored(r, object);
  const written = (status: object): T => ({ ...storedObject, status }) as T;
  for (const [what, from, to, ...expected] of table)
    test(`${r.kind}: a status with ${what} is ${expected.length > 0 ? "refused" : "accepted"}`, () =>
      expect(messagesOf(r.validateStatus(written(to), written(from)))).toEqual(expected));
}

const pod = { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "c", image: "c:1" }] } };
const workload = { selector: { matchLabels: { app: "a" } }, template: pod };
/** What clients read of an object before any controller has written its status. */
function firstStatus<T extends ApiObject>(r: ResourceDefinition<T>, spec: object, status: object): void {
  const draft = { metadata: { name: "a" }, spec } as unknown as Draft<T>;
  test(`${r.kind}: the status of a new object has the counts that are always served`, () =>
    expect({ ...r.defaults(draft) }).toHaveProperty("status", status));
}
firstStatus(deployments, workload, {});
firstStatus(replicaSets, workload, { replicas: 0 });
firstStatus(replicationControllers, { selector: { app: "a" }, template: pod }, { replicas: 0 });
firstStatus(statefulSets, workload, { replicas: 0, availableReplicas: 0 });
firstStatus(daemonSets, workload, {
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
});
firstStatus(
  podDisruptionBudgets,
  { minAvailable: 1 },
  { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
);

statuses(deployments, { spec: { template: { spec: { containers: [] } } } }, [
  [
    "consistent numbers",
    { collisionCount: 1 },
    { replicas: 2, readyReplicas: 2, availableReplicas: 1, collisionCount: 1 },
  ],
  [
    "numbers above replicas",
    { collisionCount: 1 },
    { replicas: 1, updatedReplicas: 2, readyReplicas: 0, availableReplicas: 1, unavailableReplicas: -1 },
    "status.unavailableReplicas: Invalid value: -1: must be greater than or equal to 0",
    "status.collisionCount: Invalid value: 0: cannot be decremented",
    "status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas",
    "status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas",
  ],
]);

const map = { namespace: "kube-system", name: "kubelet", kubeletConfigKey: "kubelet" };
statuses(nodes, { spec: {} }, [
  [
    "a duplicate address and negative amounts",
    {},
    {
      addresses: [
        { type: "InternalIP", address: "10.0.0.1" },
        { type: "InternalIP", address: "10.0.0.1" },
      ],
      capacity: { cpu: "-1" },
    },
    'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
    'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}',
  ],
  [
    "an incomplete configuration source",
    {},
    {
      config: {
        assigned: { configMap: map },
        active: {},
        lastKnownGood: { configMap: { ...map, uid: "u", resourceVersion: "1", kubeletConfigKey: "a/b" } },
      },
    },
    "status.config.assigned.configMap.uid: Required value: uid must be set in status",
    "status.config.assigned.configMap.resourceVersion: Required value: resourceVersion must be set in status",
    "status.config.active: Invalid value: {}: exactly one reference subfield must be non-nil",
    "status.config.lastKnownGood.configMap.kubeletConfigKey: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
  ],
]);
changes(nodes, [
  [
    "immutable fields of a node",
    { spec: { podCIDRs: ["10.1.0.0/24"], providerID: "a", externalID: "e" } },
    { spec: { configSource: { configMap: { ...map, uid: "u" } } } },
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    "spec.configSource.configMap.uid: Forbidden: uid must not be set in spec",
    "spec.externalID: Forbidden: may not be updated",
  ],
]);

const at = (...ingress: object[]): object => ({ loadBalancer: { ingress } });
statuses(ingresses, { spec: {} }, [
  ["an existing address", at({ ip: "1.2.3.04" }), at({ ip: "1.2.3.04" }, { hostname: "a.example" })],
  [
    "an invalid address and host name",
    {},
    at({ ip: "here" }, { hostname: "192.0.2.1" }),
    'status.loadBalancer.ingress[0].ip: Invalid value: "here": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[1].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
  ],
]);

const condition = {
  type: "Ready",
  status: "True",
  reason: "Well",
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};
statuses(podDisruptionBudgets, { spec: {} }, [
  ["a complete condition", {}, { conditions: [condition] }],
  [
    "incomplete duplicate conditions",
    {},
    {
      conditions: [
        { ...condition, reason: "" },
        { ...condition, status: "Maybe", lastTransitionTime: undefined, observedGeneration: -1 },
      ],
    },
    "status.conditions[0].reason: Required value",
    'status.conditions[1]: Duplicate value: "Ready"',
    'status.conditions[1].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    "status.conditions[1].observedGeneration: Invalid value: -1: must be greater than or equal to zero",
    "status.conditions[1].lastTransitionTime: Required value",
  ],
]);

statuses(flowSchemas, { spec: { priorityLevelConfiguration: { name: "a" } } }, [
  [
    "a duplicate condition, and one without a type",
    {},
    { conditions: [{ type: "Dangling" }, { type: "Dangling" }, { type: "" }] },
    'status.conditions[1].type: Duplicate value: "Dangling"',
    "status.conditions[2].type: Required value: must not be empty",
  ],
]);

statuses(volumeAttachments, { spec: { attacher: "a", nodeName: "n", source: { persistentVolumeName: "v" } } }, [
  [
    "too long a message",
    {},
    { attached: false, attachError: { message: "x".repeat(1025), errorCode: -1 } },
    "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    "status.attachError.message: Too long: may not be more than 262144 bytes",
  ],
]);

const container = { name: "main", image: "app:1", resources: { requests: { "example.com/card": "1" } } };
const rules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }];
const spec = {
  restartPolicy: "Never",
  containers: [container, { ...container, name: "again", restartPolicy: "Never", restartPolicyRules: rules }],
  initContainers: [{ ...container, name: "aside", restartPolicy: "Always" }],
  resourceClaims: [{ name: "card", resourceClaimName: "c" }],
};
const ended = (name: string, exitCode = 1): object => ({ name, state: { terminated: { exitCode } } });
const running = (name: string): object => ({ name, state: { running: {} } });
const still = "may not be transitioned to non-terminated state";
statuses(pods, { spec }, [
  [
    "containers restarted as their policy allows",
    { containerStatuses: [running("main"), ended("again", 42)], initContainerStatuses: [ended("aside")] },
    { containerStatuses: [ended("main"), running("again")], initContainerStatuses: [running("aside")] },
  ],
  [
    "terminated containers that run again",
    { containerStatuses: [ended("main"), ended("again")], ephemeralContainerStatuses: [ended("look", 0)] },
    { containerStatuses: [running("again"), running("main")], ephemeralContainerStatuses: [running("look")] },
    `status.containerStatuses[0].state: Forbidden: ${still}`,
    `status.containerStatuses[1].state: Forbidden: ${still}`,
    `status.ephemeralContainerStatuses[0].state: Forbidden: ${still}`,
  ],
  [
    "another QoS class, and invalid conditions",
    { qosClass: "Burstable" },
    {
      qosClass: "BestEffort",
      conditions: [{ type: "a/b/c" }, { type: "Ready", observedGeneration: -1 }],
      observedGeneration: -1,
      nominatedNodeName: "N",
    },
    "status.conditions[0].Type: Invalid value: \"a/b/c\": a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    "status.conditions[1].observedGeneration: Invalid value: -1: must be a non-negative integer",
    "status.nominatedNodeName: Invalid value: \"N\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    "status.observedGeneration: Invalid value: -1: must be a non-negative integer",
    'status.qosClass: Invalid value: "BestEffort": field is immutable',
  ],
  ["one address of each family", {}, { podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] }],
  [
    "two addresses of one family, and inconsistent host addresses",
    {},
    { podIPs: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], hostIP: "10.0.0.9", hostIPs: [{ ip: "10.0.0.8" }] },
    'status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: may specify no more than one IP for each IP family',
    'status.hostIPs[0].ip: Invalid value: "10.0.0.8": must be equal to `hostIP`',
  ],
  [
    "statuses of unknown resource claims",
    {},
    { resourceClaimStatuses: [{ name: "card" }, { name: "card" }, { name: "other" }] },
    'status.resourceClaimStatuses[1].name: Duplicate value: "card"',
    'status.resourceClaimStatuses[2].name: Invalid value: "other": must match the name of an entry in `spec.resourceClaims`',
  ],
  [
    "statuses of devices that were not requested",
    {},
    {
      containerStatuses: [
        {
          ...running("main"),
          allocatedResourcesStatus: [
            {
              name: "example.com/card",
              resources: [
                { resourceID: "a", health: "Sick" },
                { resourceID: "a", health: "Healthy" },
              ],
            },
            { name: "claim:card" },
          ],
        },
      ],
      ephemeralContainerStatuses: [{ ...running("look"), allocatedResourcesStatus: [] }],
    },
    'status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health: Unsupported value: "Sick": supported values: "Healthy", "Unhealthy", "Unknown"',
    'status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].resourceID: Duplicate value: "a"',
    "status.containerStatuses[0].allocatedResourcesStatus[1].name: Invalid value: \"claim:card\": must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty",
    "status.ephemeralContainerStatuses[0].allocatedResourcesStatus: Forbidden: must not be specified in container status",
  ],
  [
    "an invalid user",
    {},
    {
      containerStatuses: [{ ...running("main"), user: { linux: { uid: -1, gid: 0, supplementalGroups: [2 ** 31] } } }],
    },
    "status.containerStatuses[0].user.linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    "status.containerStatuses[0].user.linux.supplementalGroups[0]: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive",
  ],
  [
    "an extended resource claim that matches no container",
    {},
    {
      extendedResourceClaimStatus: {
        resourceClaimName: "c",
        requestMappings: [
          { containerName: "none", resourceName: "x", requestName: "r" },
          { containerName: "main", resourceName: "x", requestName: "r" },
        ],
      },
    },
    'status.extendedResourceClaimStatus.requestMappings[0].containerName: Invalid value: "none": must match the name of an entry in spec.initContainers.name or spec.containers.name',
    'status.extendedResourceClaimStatus.requestMappings[1].resourceName: Invalid value: "x": must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests',
  ],
]);

test("the mirror annotation is immutable, also on status updates", () => {
  const plain = stored(pods, { spec: { containers: [{ name: "main", image: "app:1" }] } });
  const mirror = { ...plain, metadata: { ...plain.metadata, annotations: { "kubernetes.io/config.mirror": "x" } } };
  const path = "metadata.annotations[kubernetes.io/config.mirror]: Forbidden:";
  for (const validate of [pods.validate, pods.validateStatus]) {
    expect(messagesOf(validate(mirror, plain))).toEqual([`${path} may not add mirror pod annotation`]);
    expect(messagesOf(validate(plain, mirror))).toEqual([`${path} may not remove or update mirror pod annotation`]);
  }
});

test("podIP and podIPs are consistent", () => {
  const defaulted = pods.statusDefaults!;
  expect(defaulted({ podIP: "10.0.0.1" })).toEqual({ podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] });
  expect(defaulted({ podIPs: [{ ip: "10.0.0.1" }] })).toEqual({
    podIP: "10.0.0.1",
    podIPs: [{ ip: "10.0.0.1" }],
  });
  expect(defaulted({ podIP: "10.0.0.2", podIPs: [{ ip: "10.0.0.1" }] }).podIPs).toEqual([{ ip: "10.0.0.2" }]);
});

test("statuses are defaulted", () => {
  expect(nodes.statusDefaults!({ capacity: { cpu: "1" } })).toEqual({
    capacity: { cpu: "1" },
    allocatable: { cpu: "1" },
  });
  expect(namespaces.statusDefaults!({})).toEqual({ phase: "Active" });
  expect(persistentVolumes.statusDefaults!({ phase: "Bound" })).toEqual({ phase: "Bound" });
  expect(persistentVolumeClaims.statusDefaults!({})).toEqual({ phase: "Pending" });
});
