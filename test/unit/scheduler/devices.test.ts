// DynamicResources: which nodes have devices for a pod, why others do not, and what is allocated.
import { expect, test } from "vitest";
import type { DeviceClaim, Node, Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { podInfoOf } from "../../../scheduler/node-info.ts";
import { place } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { allocatedTo, deviceClaim, deviceClass, driver, gpus, podUsing, slice } from "./devices.ts";
import { listersOf } from "./storage.ts";

const node = (name: string, labels: object = {}): Node =>
  ({ metadata: { name, labels }, spec: {}, status: { allocatable: { pods: "10" } } }) as unknown as Node;

/** A cluster of these nodes and objects; pods are placed one after another. */
function cluster(objects: readonly ApiObject[], nodes: readonly Node[] = [node("n1"), node("n2")]) {
  const cache = schedulerCache(listersOf([deviceClass("gpus"), ...objects]));
  for (const n of nodes) cache.nodeSeen(n.metadata.name, n);
  const plugins = defaultPlugins();
  const placeOne = (pod: Pod) => {
    const placement = place(pod, cache.snapshot(), plugins);
    if (placement.outcome === "unschedulable") return placement.diagnosis.message;
    for (const plugin of plugins)
      plugin.reserve?.(placement.state.get(plugin.name), podInfoOf(pod), placement.nodeName);
    return placement.nodeName;
  };
  return { place: placeOne };
}
const requests = (...all: NonNullable<DeviceClaim["requests"]>): DeviceClaim => ({ requests: all });
const exactly = (more: object = {}) => ({ deviceClassName: "gpus", ...more });
const none = (reason: string, nodes = 2): string =>
  `0/${nodes} nodes are available: ${nodes} ${reason}. still not schedulable, preemption: 0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`;
const refused = (reason: string): string =>
  `0/2 nodes are available: ${reason}. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.`;

type Row = readonly [what: string, claim: ResourceClaim, objects: readonly ApiObject[], expected: string];
const one = deviceClaim("c");
const table: readonly Row[] = [
  ["the node with the device", one, [slice("n2", { devices: gpus(1) })], "n2"],
  ["no devices", one, [], none("cannot allocate all claims")],
  [
    "a device in use",
    one,
    [slice("n1", { devices: gpus(1) }), deviceClaim("d", {}, allocatedTo("gpu-0"))],
    none("cannot allocate all claims"),
  ],
  ["another device", one, [slice("n1", { devices: gpus(2) }), deviceClaim("d", {}, allocatedTo("gpu-0"))], "n1"],
  [
    "an administrator's use takes nothing",
    one,
    [
      slice("n1", { devices: gpus(1) }),
      deviceClaim(
        "d",
        {},
        {
          allocation: {
            devices: { results: [{ request: "r", driver, pool: "n1", device: "gpu-0", adminAccess: true }] },
          },
        },
      ),
    ],
    "n1",
  ],
  [
    "an administrator gets a device in use",
    deviceClaim("c", requests({ name: "a", exactly: exactly({ adminAccess: true }) })),
    [slice("n1", { devices: gpus(1) }), deviceClaim("d", {}, allocatedTo("gpu-0"))],
    "n1",
  ],
  [
    "all devices",
    deviceClaim("c", requests({ name: "a", exactly: exactly({ allocationMode: "All" }) })),
    [slice("n1", { devices: gpus(2) }), slice("n2", { devices: gpus(2) }), deviceClaim("d", {}, allocatedTo("gpu-1"))],
    "n2",
  ],
  [
    "an incomplete pool is not used",
    one,
    [slice("n1", { devices: gpus(1), pool: { resourceSliceCount: 2 } }), slice("n2", { devices: gpus(1) })],
    "n2",
  ],
  [
    "nor a pool of an older generation",
    one,
    [
      slice("n1", { devices: gpus(1), pool: { generation: 1 } }),
      slice("x", { devices: [], nodeName: "n1", pool: { name: "n1", generation: 2 } }),
    ],
    none("cannot allocate all claims"),
  ],
  [
    "an invalid pool",
    one,
    [slice("n1", { allNodes: true, devices: [...gpus(1), ...gpus(1)] })],
    none("invalid resource pools were encountered"),
  ],
  [
    "devices of nodes with a label",
    one,
    [
      slice("shared", {
        nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: "rack", operator: "In", values: ["b"] }] }] },
        devices: gpus(1),
      }),
    ],
    "n2",
  ],
  [
    "devices with nodes of their own",
    one,
    [slice("shared", { perDeviceNodeSelection: true, devices: [{ name: "x", nodeName: "n2" }] })],
    "n2",
  ],
  [
    "a tainted device",
    one,
    [slice("n1", { devices: gpus(1, { taints: [{ key: "broken", effect: "NoSchedule" }] }) })],
    none("cannot allocate all claims"),
  ],
  [
    "a tainted device that is tolerated",
    deviceClaim(
      "c",
      requests({ name: "a", exactly: exactly({ tolerations: [{ key: "broken", operator: "Exists" }] }) }),
    ),
    [slice("n1", { devices: gpus(1, { taints: [{ key: "broken", effect: "NoSchedule" }] }) })],
    "n1",
  ],
  [
    "the earlier alternative is better",
    deviceClaim(
      "c",
      requests({
        name: "a",
        firstAvailable: [
          {
            ...exactly({
              selectors: [
                { cel: { expression: `device.capacity["${driver}"].memory.compareTo(quantity("80Gi")) >= 0` } },
              ],
            }),
            name: "large",
          },
          { ...exactly(), name: "any" },
        ],
      }),
    ),
    [
      slice("n1", { devices: gpus(1, { capacity: { memory: { value: "40Gi" } } }) }),
      slice("n2", { devices: gpus(1, { capacity: { memory: { value: "80Gi" } } }) }),
    ],
    "n2",
  ],
  [
    "an unknown class",
    deviceClaim("c", requests({ name: "a", exactly: { deviceClassName: "x" } })),
    [],
    refused("request a: device class x does not exist"),
  ],
  [
    "an allocated claim",
    deviceClaim(
      "c",
      {},
      {
        allocation: {
          nodeSelector: {
            nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n2"] }] }],
          },
        },
      },
    ),
    [],
    "n2",
  ],
  [
    "an allocated claim of a node that is gone is released",
    deviceClaim(
      "c",
      {},
      {
        allocation: {
          nodeSelector: {
            nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n9"] }] }],
          },
        },
      },
    ),
    [],
    none("resourceclaim not available on the node").replace(
      "still not schedulable",
      "deallocation of ResourceClaim completed",
    ),
  ],
];
test.each(table)("a pod with a claim: %s", (_, claim, objects, expected) =>
  expect(cluster([claim, ...objects], [node("n1"), node("n2", { rack: "b" })]).place(podUsing("p", "c"))).toBe(
    expected,
  ),
);

test("a selector that fails ends the decision", () => {
  const selectors = [{ cel: { expression: `device.attributes["${driver}"].absent == 1` } }];
  const claim = deviceClaim("c", requests({ name: "a", exactly: exactly({ selectors }) }));
  expect(() => cluster([claim, slice("n1", { devices: gpus(1) })]).place(podUsing("p", "c"))).toThrow(
    'running "DynamicResources" filter plugin: claim default/c: selector #0: CEL runtime error: no such key: absent',
  );
});

test("pods wait for their claims", () => {
  const { place: placeOne } = cluster([]);
  expect(placeOne(podUsing("p", "c"))).toBe(refused('resourceclaim.resource.k8s.io "c" not found'));
  const pod = podUsing("p");
  const spec = { ...pod.spec, resourceClaims: [{ name: "gpu", resourceClaimTemplateName: "t" }] };
  expect(placeOne({ ...pod, spec })).toBe(refused('pod "default/p": ResourceClaim not created yet'));
});

test("what is decided is taken for later pods", () => {
  const { place: placeOne } = cluster([deviceClaim("a"), deviceClaim("b"), slice("n1", { devices: gpus(1) })]);
  expect(placeOne(podUsing("first", "a"))).toBe("n1");
  expect(placeOne(podUsing("second", "b"))).toBe(none("cannot allocate all claims"));
  expect(placeOne(podUsing("third", "a"))).toBe(
    refused("resource claim default/a is in the process of being allocated"),
  );
});

test("a constraint that all devices cannot satisfy is the claim's fault", () => {
  const claim = deviceClaim("c", {
    requests: [{ name: "a", exactly: exactly({ allocationMode: "All" }) }],
    constraints: [{ matchAttribute: `${driver}/model` }],
  });
  const devices = [
    { name: "x", attributes: { model: { string: "a" } } },
    { name: "y", attributes: { model: { string: "b" } } },
  ];
  expect(() => cluster([claim, slice("n1", { devices })]).place(podUsing("p", "c"))).toThrow(
    `claim default/c, request a: cannot add device ${driver}/n1/y because a claim constraint would not be satisfied`,
  );
});
