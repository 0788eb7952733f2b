// What would have to change so that a node passes, by plugin; and why a node was chosen.
import { expect, test } from "vitest";
import type { AttemptExplanation } from "../../../api/explanation/scheduling.ts";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { instant, revision } from "../../../api/meta.ts";
import { parseSchedulerConfig } from "../../../cli/scheduler-config.ts";
import { attemptLog } from "../../../scheduler/attempts.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { configuredPlugins } from "../../../scheduler/configuration/settings.ts";
import { attemptExplanation } from "../../../scheduler/explanation.ts";
import type { SchedulerPlugin } from "../../../scheduler/framework.ts";
import { journal } from "../../../scheduler/journal.ts";
import { place } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { volumeBinding } from "../../../scheduler/plugins/volumes/binding.ts";
import { claim, listersOf, mounts, podWith, storageClass, volume } from "./storage.ts";

const hostname = "kubernetes.io/hostname";
interface NodeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly cpu?: string;
}
const node = (name: string, { labels = {}, spec = {}, cpu = "4" }: NodeOptions = {}): Node =>
  ({
    metadata: { name, labels: { [hostname]: name, ...labels } },
    spec,
    status: { allocatable: { cpu, memory: "8Gi", pods: "2" } },
  }) as unknown as Node;
const pod = (name: string, spec: object = {}, requests: object = {}, labels: object = {}): Pod =>
  ({
    metadata: { name, namespace: "d", uid: name, labels },
    spec: { containers: [{ name: "c", resources: { requests }, ...spec }], ...spec },
    status: {},
  }) as unknown as Pod;

type On = readonly (readonly [Node, ...(readonly Pod[])])[];
/** The decision about a pod, explained after the cluster has become empty. */
function explained(p: Pod, on: On): AttemptExplanation {
  const cache = schedulerCache(listersOf([]), journal());
  for (const [each, ...others] of on) {
    cache.nodeSeen(each.metadata.name, each);
    for (const other of others) cache.assume(other, each.metadata.name);
  }
  const attempts = attemptLog();
  attempts.record(place(p, cache.snapshot(), defaultPlugins()), { at: instant(0), revision: revision(7) });
  const [attempt] = attempts.of(p);
  for (const [each, ...others] of on) {
    for (const { metadata } of others) cache.forget(`d/${metadata.name}` as never);
    cache.nodeSeen(each.metadata.name, undefined);
  }
  return attemptExplanation(attempt!, cache.snapshotAt(attempt!.inputs!.position));
}

const selecting = (kind: string, topologyKey: string) => ({
  affinity: {
    [kind]: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: { matchLabels: { app: "a" } } }],
    },
  },
});
const terms = (...all: readonly object[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: all.map((expression) => ({ matchExpressions: [expression] })),
      },
    },
  },
});
const big = { cpu: "3500m" };
const web = pod("web", {}, {}, { app: "a" });
const spread = {
  topologySpreadConstraints: [
    {
      ...{ topologyKey: hostname, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" },
      labelSelector: { matchLabels: { app: "a" } },
    },
  ],
};
const port = { ports: [{ containerPort: 80, hostPort: 80 }] };

test.each<[what: string, changes: readonly string[], pod: Pod, on: On]>([
  ["too little CPU", ["1 more cpu"], pod("p", {}, big), [[node("a"), pod("x", {}, { cpu: "1500m" })]]],
  [
    "too little memory and no room for a pod",
    ["4Gi more memory", "room for 1 more pod"],
    pod("p", {}, { memory: "8Gi" }),
    [[node("a"), pod("x", {}, { memory: "4Gi" }), pod("y")]],
  ],
  [
    "a node that is too small when it is empty",
    ["3500m more cpu (a larger node: it has 4 in all)"],
    pod("p", {}, { cpu: "7" }),
    [[node("a"), pod("x", {}, { cpu: "500m" })]],
  ],
  [
    "a resource that the node does not have",
    ["1 more example.org/gpu (a larger node: it has 0 in all)"],
    pod("p", {}, { "example.org/gpu": "1" }),
    [[node("a")]],
  ],
  [
    "taints",
    ["remove taint team=red:NoSchedule, or tolerate it", "remove taint old:NoExecute, or tolerate it"],
    pod("p"),
    [
      [
        node("a", {
          spec: {
            taints: [
              { key: "team", value: "red", effect: "NoSchedule" },
              { key: "old", effect: "NoExecute" },
              { key: "spot", effect: "PreferNoSchedule" },
            ],
          },
        }),
      ],
    ],
  ],
  ["a cordoned node", ["uncordon it"], pod("p"), [[node("a", { spec: { unschedulable: true } })]]],
  ["a node selector", ["label disk=ssd"], pod("p", { nodeSelector: { disk: "ssd" } }), [[node("a")]]],
  [
    "the term that lacks the least",
    ["label zone one of x, y"],
    pod("p", terms({ key: "zone", operator: "In", values: ["x", "y"] })),
    [[node("a", { labels: { zone: "z" } })]],
  ],
  ["a label that has to be there", ["a label gpu"], pod("p", terms({ key: "gpu", operator: "Exists" })), [[node("a")]]],
  [
    "a label that must not",
    ["no label old"],
    pod("p", terms({ key: "old", operator: "DoesNotExist" })),
    [[node("a", { labels: { old: "" } })]],
  ],
  [
    "a number",
    ["label cores above 4"],
    pod("p", terms({ key: "cores", operator: "Gt", values: ["4"] })),
    [[node("a", { labels: { cores: "2" } })]],
  ],
  [
    "a feature of the kubelet",
    ["a kubelet that declares RestartAllContainersOnContainerExits"],
    pod("p", { restartPolicyRules: [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [1] } }] }),
    [[node("a")]],
  ],
  ["another node", ["another pod: this one names b"], pod("p", { nodeName: "b" }), [[node("a")]]],
  ["a port", ["port 80/TCP free, which d/x uses"], pod("p", port), [[node("a"), pod("x", port)]]],
  [
    "affinity",
    ["a pod that its affinity selects in kubernetes.io/hostname=a"],
    pod("p", selecting("podAffinity", hostname)),
    [[node("a")]],
  ],
  ["affinity in a domain", ["a label zone"], pod("p", selecting("podAffinity", "zone")), [[node("a"), web]]],
  [
    "anti-affinity",
    ["none of the pods its anti-affinity selects in kubernetes.io/hostname=a"],
    pod("p", selecting("podAntiAffinity", hostname)),
    [[node("a"), web]],
  ],
  [
    "anti-affinity of another",
    ["none of the pods there whose anti-affinity selects it"],
    web,
    [[node("a"), pod("x", selecting("podAntiAffinity", hostname))]],
  ],
  [
    "spread",
    ["1 pod fewer in kubernetes.io/hostname=a, or more elsewhere"],
    pod("p", spread, {}, { app: "a" }),
    [[node("a"), web], [node("b", { spec: { unschedulable: true } })]],
  ],
])("what would have to change: %s", (_, changes, p, on) => {
  const { nodes = [], outcome } = explained(p, on);
  expect(outcome).toBe("Unschedulable");
  const [first] = nodes.filter(({ name }) => name === "a");
  expect(first?.remedies?.map(({ change }) => change)).toEqual(changes);
});

test("the plugins of a configured profile say what would have to change too", () => {
  const config = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration";
  const [plugins = []] = configuredPlugins(parseSchedulerConfig(config)).values();
  const remedying = (all: readonly SchedulerPlugin[]) => all.filter((p) => p.remedies).map(({ name }) => name);
  expect(remedying(plugins).toSorted()).toEqual(remedying(defaultPlugins()).toSorted());
});

test("the least change comes first, and equal ones are one", () => {
  const cordoned = node("d", { spec: { unschedulable: true } });
  const on: On = [
    [node("a"), pod("x", {}, { cpu: "2" })],
    [node("b"), pod("y", {}, { cpu: "1" })],
    [node("c"), pod("z", {}, { cpu: "1" })],
    [cordoned],
  ];
  expect(explained(pod("p", {}, big), on).remedies).toEqual([
    { changes: ["500m more cpu"], count: 2, nodes: ["b", "c"] },
    { changes: ["1500m more cpu"], count: 1, nodes: ["a"] },
    { changes: ["uncordon it"], count: 1, nodes: ["d"] },
  ]);
});

test.each<[message: string, pod: Pod, on: On]>([
  ["a is the only node that passed", pod("p"), [[node("a")], [node("b", { spec: { unschedulable: true } })]]],
  ["b has the highest score of 2 nodes that passed", pod("p"), [[node("a")], [node("b"), pod("x", {}, big)]]],
  [
    "a is the first by name of 2 with the highest score among 2 nodes that passed",
    pod("p"),
    [[node("b")], [node("a")]],
  ],
  [
    "b was kept for the pod",
    { ...pod("p"), status: { nominatedNodeName: "b" } } as Pod,
    [[node("a"), pod("x", {}, { cpu: "1" })], [node("b")]],
  ],
])("why this node: %s", (message, p, on) => {
  expect(explained(p, on)).toMatchObject({ outcome: "Placed", resourceVersion: "7", message });
});

test("what a plugin reserves or gives back later does not change a decision", () => {
  const never = storageClass("wait", { provisioner: "kubernetes.io/no-provisioner" });
  const cache = schedulerCache(listersOf([claim("one"), claim("two"), volume("v"), never]), journal());
  cache.nodeSeen("a", node("a"));
  const [binding, attempts] = [volumeBinding(), attemptLog()];
  const decide = (name: string, claimName: string) => {
    const placement = place(podWith(name, mounts(claimName)), cache.snapshot(), [binding]);
    attempts.record(placement, { at: instant(0), revision: revision(1) });
    return placement;
  };
  const reasons = (name: string): readonly string[] | undefined => {
    const [attempt] = attempts.of(podWith(name, undefined));
    return attemptExplanation(attempt!, cache.snapshotAt(attempt!.inputs!.position)).nodes?.[0]?.rejection?.reasons;
  };
  decide("before", "two");
  const first = decide("first", "one");
  if (first.outcome !== "placed") throw new Error("the volume is free");
  const reservation = [first.state.get("VolumeBinding"), { pod: first.inputs.pod }, "a"] as never as [
    never,
    never,
    string,
  ];
  binding.reserve!(...reservation);
  expect(reasons("before")).toBeUndefined();
  decide("after", "two");
  binding.unreserve!(...reservation, undefined as never);
  expect(reasons("after")).toEqual(["node(s) didn't find available persistent volumes to bind"]);
});
