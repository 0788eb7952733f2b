// Pods beside and apart from each other: affinity between pods, topology spread, the messages, and what wakes a pod
// that one of them rejected.
import { expect, test } from "vitest";
import type { Namespace, Node, Pod, ReplicaSet, Service } from "../../../api/generated/types.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { type QueueingHints, queueingHints } from "../../../scheduler/cluster-events.ts";
import type { EventAction } from "../../../scheduler/framework.ts";
import { place, type Placement } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { listersOf } from "./storage.ts";

const host = "kubernetes.io/hostname";
const node = (name: string, labels: object = {}): Node =>
  ({
    metadata: { name, labels: { [host]: name, ...labels } },
    spec: {},
    status: { allocatable: { cpu: "4", memory: "8Gi", pods: "10" } },
  }) as unknown as Node;
const pod = (name: string, app: string, spec: object = {}, namespace = "d"): Pod =>
  ({ metadata: { name, namespace, labels: { app } }, spec: { containers: [], ...spec } }) as unknown as Pod;

const term = (app: string, topologyKey = "zone", more: object = {}) => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
  ...more,
});
const together = (...terms: readonly object[]) => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const apart = (...terms: readonly object[]) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const near = (weight: number, podAffinityTerm: object) => ({
  affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm }] } },
});
const spread = (topologyKey: string, more: object = {}) => ({
  topologySpreadConstraints: [
    {
      ...{
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: { app: "web" } },
      },
      ...more,
    },
  ],
});

const nodes = [
  node("a", { zone: "x" }),
  node("b", { zone: "x" }),
  node("c", { zone: "y" }),
  node("bare", { [host]: "" }),
];
const objects = [
  { kind: "Namespace", metadata: { name: "d", labels: { team: "one" } } } as unknown as Namespace,
  { kind: "Namespace", metadata: { name: "e", labels: { team: "two" } } } as unknown as Namespace,
] as readonly ApiObject[];

type Existing = readonly (readonly [pod: Pod, nodeName: string])[];
function placing(p: Pod, existing: Existing, packing?: "LeastAllocated", more: readonly ApiObject[] = []): Placement {
  const cache = schedulerCache(listersOf([...objects, ...more]));
  for (const n of nodes) cache.nodeSeen(n.metadata.name, n);
  for (const [other, nodeName] of existing) cache.assume(other, nodeName);
  return place(p, cache.snapshot(), defaultPlugins(packing));
}
/** The nodes that pass. */
function allowed(p: Pod, existing: Existing): readonly string[] {
  const placement = placing(p, existing);
  if (placement.outcome === "unschedulable") return [];
  const scores = placement.scores();
  return scores.length === 0 ? [placement.nodeName] : scores.map((s) => s.nodeName).toSorted();
}

const db = pod("db", "db");
const web = (name: string, spec: object = {}) => pod(name, "web", spec);
const rules: readonly (readonly [what: string, pod: Pod, existing: Existing, nodes: string])[] = [
  ["in the zone of another", pod("p", "p", together(term("db"))), [[db, "a"]], "a b"],
  ["beside two others at once", pod("p", "p", together(term("db"), term("web"))), [[db, "a"]], ""],
  ["the first of a group goes to any labelled node", web("p", together(term("web"))), [], "a b c"],
  ["the second goes to the first", web("p", together(term("web"))), [[web("q"), "c"]], "c"],
  ["not in the zone of another", pod("p", "p", apart(term("db"))), [[db, "a"]], "bare c"],
  ["not in the zone of one that avoids it", db, [[pod("p", "p", apart(term("db"))), "a"]], "bare c"],
  ["another namespace does not count", pod("p", "p", together(term("db"))), [[pod("q", "db", {}, "e"), "a"]], ""],
  [
    "a named namespace counts",
    pod("p", "p", together(term("db", "zone", { namespaces: ["e"] }))),
    [[pod("q", "db", {}, "e"), "a"]],
    "a b",
  ],
  [
    "namespaces by label",
    pod("p", "p", together(term("db", "zone", { namespaceSelector: { matchLabels: { team: "two" } } }))),
    [[pod("q", "db", {}, "e"), "c"]],
    "c",
  ],
  [
    "all namespaces",
    pod("p", "p", apart(term("db", "zone", { namespaceSelector: {} }))),
    [[pod("q", "db", {}, "e"), "c"]],
    "a b bare",
  ],
  [
    "a pod that avoids namespaces by label",
    pod("q", "db", {}, "e"),
    [[pod("p", "p", apart(term("db", "zone", { namespaceSelector: { matchLabels: { team: "two" } } }))), "c"]],
    "a b bare",
  ],
  ["spread over zones", web("p", spread("zone")), [[web("q"), "a"]], "c"],
  ["a skew of two", web("p", spread("zone", { maxSkew: 2 })), [[web("q"), "a"]], "a b c"],
  [
    "too few domains",
    web("p", spread("zone", { minDomains: 3 })),
    [
      [web("q"), "a"],
      [web("r"), "c"],
    ],
    "",
  ],
  [
    "a domain that the pod may not use does not count",
    web("p", { nodeSelector: { zone: "x" }, ...spread("zone") }),
    [[web("q"), "a"]],
    "a b",
  ],
  [
    "unless affinity is ignored",
    web("p", { nodeSelector: { zone: "x" }, ...spread("zone", { nodeAffinityPolicy: "Ignore" }) }),
    [[web("q"), "a"]],
    "",
  ],
  ["other pods are not spread", pod("p", "other", spread("zone")), [[web("q"), "a"]], "a b c"],
];
test.each(rules)("%s", (_, p, existing, names) => expect(allowed(p, existing).join(" ")).toBe(names));

const bestOf = (p: Pod, existing: Existing, packing?: "LeastAllocated", more: readonly ApiObject[] = []) => {
  const placement = placing(p, existing, packing, more);
  return placement.outcome === "placed" ? placement.nodeName : placement.diagnosis.message;
};
test("a preference for others attracts", () =>
  expect(bestOf(pod("p", "p", near(1, term("db", host))), [[db, "c"]])).toBe("c"));
test("one that requires another attracts it", () =>
  expect(bestOf(db, [[pod("p", "p", together(term("db"))), "c"]])).toBe("c"));
test("soft constraints prefer the emptier zone", () =>
  expect(bestOf(web("p", spread("zone", { whenUnsatisfiable: "ScheduleAnyway" })), [[web("q"), "a"]])).toBe("c"));

const service = { kind: "Service", metadata: { name: "s", namespace: "d" }, spec: { selector: { app: "web" } } };
const set = {
  kind: "ReplicaSet",
  metadata: { name: "set", namespace: "d" },
  spec: { selector: { matchLabels: { app: "web" } } },
};
const owned = (p: Pod): Pod =>
  ({
    ...p,
    metadata: { ...p.metadata, ownerReferences: [{ kind: "ReplicaSet", name: "set", controller: true }] },
  }) as unknown as Pod;
const requests = { containers: [{ name: "c", resources: { requests: { cpu: "1", memory: "1Gi" } } }] };
test.each<[string, Pod, readonly ApiObject[], string | undefined]>([
  ["a service", web("p"), [service as unknown as Service], "b"],
  ["a replica set", owned(web("p")), [set as unknown as ReplicaSet], "b"],
  ["nothing", web("p"), [], undefined],
])("default constraints spread the pods of %s", (_, p, more, best) => {
  // All nodes but b have a pod of the group; b has one that uses more.
  const placement = placing(
    p,
    [
      [web("q"), "a"],
      [pod("r", "r", requests), "b"],
      [web("s"), "c"],
      [web("t"), "bare"],
    ],
    "LeastAllocated",
    more,
  );
  const spreadBy = placement.outcome === "placed" ? placement.scores()[0]!.byPlugin["PodTopologySpread"] : undefined;
  expect(spreadBy === undefined ? undefined : (placement as { nodeName: string }).nodeName).toBe(best);
});

test.each<[string, Pod, Existing, string]>([
  ["pod affinity", pod("p", "p", together(term("db"))), [], "4 node(s) didn't match pod affinity rules"],
  [
    "pod anti-affinity",
    pod("p", "p", apart(term("db", host))),
    nodes.map((n, i) => [pod(`db${i}`, "db"), n.metadata.name]),
    "4 node(s) didn't match pod anti-affinity rules",
  ],
  [
    "existing pods",
    db,
    nodes.map((n, i) => [pod(`p${i}`, "p", apart(term("db", host))), n.metadata.name]),
    "4 node(s) didn't satisfy existing pods anti-affinity rules",
  ],
  [
    "topology spread",
    web("p", { nodeSelector: { [host]: "a" }, ...spread("zone", { nodeAffinityPolicy: "Ignore" }) }),
    [
      [web("q"), "a"],
      [web("r"), "a"],
    ],
    "1 node(s) didn't match pod topology spread constraints, 3 node(s) didn't match Pod's node affinity/selector",
  ],
  [
    "a missing label",
    web("p", spread("rack")),
    [],
    "4 node(s) didn't match pod topology spread constraints (missing required label)",
  ],
])("the message of %s", (_, p, existing, message) => expect(bestOf(p, existing)).toContain(message));

const hints: QueueingHints = queueingHints(defaultPlugins());
const wakes = (plugin: string, p: Pod, event: string, ...[before, after]: readonly (object | undefined)[]): boolean => {
  const [resource, action] = event.split("/") as [string, EventAction];
  return hints.isHelped(p, new Set([plugin]), [{ resource, action, before: before as never, after: after as never }]);
};
const A = "InterPodAffinity";
const S = "PodTopologySpread";
const attracted = pod("p", "p", together(term("db")));
const avoiding = pod("p", "p", apart(term("db")));
const avoided = pod("q", "q", apart(term("p")));
test.each<[string, boolean, boolean]>([
  ["a pod that it requires", wakes(A, attracted, "AssignedPod/Add", undefined, db), true],
  ["a pod that it does not require", wakes(A, attracted, "AssignedPod/Add", undefined, web("q")), false],
  ["a pod that it avoids leaves", wakes(A, avoiding, "AssignedPod/Delete", db), true],
  ["a pod that it avoids comes", wakes(A, avoiding, "AssignedPod/Add", undefined, db), false],
  ["a pod that avoids it leaves", wakes(A, pod("p", "p"), "AssignedPod/Delete", avoided), true],
  ["another pod leaves", wakes(A, pod("p", "p"), "AssignedPod/Delete", db), false],
  ["the last of its group leaves", wakes(A, web("p", together(term("web"))), "AssignedPod/Delete", web("q")), true],
  ["a label changes to one that it requires", wakes(A, attracted, "AssignedPod/UpdatePodLabel", web("q"), db), true],
  ["a node in a domain", wakes(A, attracted, "Node/Add", undefined, node("n", { zone: "x" })), true],
  ["a node in no domain", wakes(A, attracted, "Node/Add", undefined, node("n")), false],
  [
    "a node changes another label",
    wakes(A, attracted, "Node/UpdateNodeLabel", node("n", { zone: "x" }), node("n", { zone: "x", k: "v" })),
    false,
  ],
  ["a node enters a domain", wakes(A, attracted, "Node/UpdateNodeLabel", node("n"), node("n", { zone: "x" })), true],
  ["one of its kind comes", wakes(S, web("p", spread("zone")), "AssignedPod/Add", undefined, web("q")), true],
  ["one of another kind comes", wakes(S, web("p", spread("zone")), "AssignedPod/Add", undefined, db), false],
  ["a node with the key", wakes(S, web("p", spread("zone")), "Node/Add", undefined, node("n", { zone: "x" })), true],
  ["a node without the key", wakes(S, web("p", spread("zone")), "Node/Add", undefined, node("n")), false],
  ["a node with the key leaves", wakes(S, web("p", spread("zone")), "Node/Delete", node("n", { zone: "x" })), true],
])("waking: %s", (_, isWoken, expected) => expect(isWoken).toBe(expected));
