// Placement: replica sets in a namespace of their own that require nodes, neighbours, distance, ports and memory, of
// which there is too little for all; users resize them, delete pods, and cordon nodes.
import { replicaSets } from "../../../api/apps/replicasets.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Pod, ReplicaSet, TopologySpreadConstraint } from "../../../api/generated/types.ts";
import { type Draft, key, keyOf } from "../../../api/meta.ts";
import { priorityClasses } from "../../../api/scheduling/priorityclasses.ts";
import type { Client } from "../../../machinery/client.ts";
import type { Random } from "../../../machinery/world.ts";
import { impatient } from "./lost-nodes.ts";
import { placementRules, starving } from "./placement-rules.ts";
import { oneOf, type Workload } from "./workload.ts";

const namespace = "placed";
const zone = "topology.kubernetes.io/zone";
const hostname = "kubernetes.io/hostname";

const priorities = { urgent: 1000, polite: 500, humble: -10 } as const;

interface Kind {
  readonly name: string;
  readonly most: number;
  readonly spec: Partial<Pod["spec"]>;
  /** Nodes have 16Gi each. */
  readonly memory?: string;
  readonly hostPort?: number;
}
const labelled = (app: string) => ({ matchLabels: { app } });
const near = (app: string, topologyKey: string) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: labelled(app), topologyKey }],
});
const spread = (app: string, topologyKey: string, options: Partial<TopologySpreadConstraint>) => ({
  topologySpreadConstraints: [
    {
      ...{ maxSkew: 1, topologyKey, whenUnsatisfiable: "DoNotSchedule" as const, labelSelector: labelled(app) },
      ...options,
    },
  ],
});
const requiring = (key: string, operator: "In" | "NotIn", value: string): Pod["spec"]["affinity"] => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values: [value] }] }],
    },
  },
});

const kinds: readonly Kind[] = [
  { name: "zoned", most: 6, memory: "1Gi", spec: spread("zoned", zone, { nodeTaintsPolicy: "Honor" }) },
  {
    name: "even",
    most: 7,
    spec: { priorityClassName: "humble", ...spread("even", hostname, { minDomains: 4, maxSkew: 2 }) },
  },
  { name: "apart", most: 4, spec: { affinity: { podAntiAffinity: near("apart", hostname) } } },
  {
    name: "alone",
    most: 2,
    spec: { priorityClassName: "urgent", affinity: { podAntiAffinity: near("apart", hostname) } },
  },
  { name: "beside", most: 4, spec: { affinity: { podAffinity: near("alone", zone) } } },
  { name: "together", most: 4, memory: "2Gi", spec: { affinity: { podAffinity: near("together", hostname) } } },
  { name: "pinned", most: 3, hostPort: 8080, spec: { affinity: requiring(zone, "In", "zone-0") } },
  {
    name: "elsewhere",
    most: 3,
    hostPort: 8080,
    spec: { priorityClassName: "urgent", affinity: requiring(hostname, "NotIn", "node-0") },
  },
  { name: "humble", most: 10, memory: "5Gi", spec: { priorityClassName: "humble" } },
  { name: "plain", most: 4, memory: "3Gi", spec: {} },
  { name: "polite", most: 2, memory: "9Gi", spec: { priorityClassName: "polite" } },
  { name: "urgent", most: 4, memory: "7Gi", spec: { priorityClassName: "urgent" } },
];

const draft = ({ name, spec, memory, hostPort }: Kind, replicas: number): Draft<ReplicaSet> => ({
  kind: "ReplicaSet",
  metadata: { name, namespace },
  spec: {
    replicas,
    selector: labelled(name),
    template: {
      metadata: { labels: { app: name } },
      spec: {
        ...{ tolerations: impatient, ...spec },
        containers: [
          {
            ...{ name: "main", image: "app:1", resources: { requests: { ...(memory && { memory }) } } },
            ...(hostPort && { ports: [{ containerPort: hostPort, hostPort }] }),
          },
        ],
      },
    },
  },
});
const sizeOf = ({ most }: Kind, random: Random): number => Math.floor(random.next() * (most + 1));

const cordon = (user: Client, name: string, unschedulable: boolean): Promise<unknown> =>
  user.patch(nodes, key(undefined, name), { type: "merge", patch: { spec: { unschedulable } } });

export const placementWorkload: Workload = {
  kinds: [],
  async begin(user, random) {
    await user.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
    for (const [name, value] of Object.entries(priorities))
      await user.create(priorityClasses, {
        ...{ kind: "PriorityClass", metadata: { name }, value },
        ...(name === "polite" && { preemptionPolicy: "Never" }),
      });
    for (const kind of kinds)
      if (random.next() < 0.6) await user.create(replicaSets, draft(kind, sizeOf(kind, random)));
  },
  async meddle(user, random) {
    const dice = random.next();
    if (dice < 0.7) {
      // Several at once compete for the same room.
      const { items } = await user.list(replicaSets, { namespace });
      for (const set of [oneOf(items, random), oneOf(items, random)]) {
        const kind = kinds.find(({ name }) => name === set?.metadata.name);
        if (!kind) continue;
        const patch = { spec: { replicas: sizeOf(kind, random) } };
        await user.patch(replicaSets, key(namespace, kind.name), { type: "merge", patch });
      }
    } else if (dice < 0.9) {
      const { items } = await user.list(pods, { namespace });
      for (const pod of [oneOf(items, random), oneOf(items, random)]) if (pod) await user.delete(pods, keyOf(pod));
    } else {
      const node = oneOf((await user.list(nodes, {})).items, random);
      if (node) await cordon(user, node.metadata.name, !node.spec.unschedulable);
    }
  },
  async heal(user) {
    for (const { metadata, spec } of (await user.list(nodes, {})).items)
      if (spec.unschedulable) await cordon(user, metadata.name, false);
  },
  rules: placementRules,
  unsettled: starving,
};
