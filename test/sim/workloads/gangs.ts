// Gangs: replica sets whose pods belong to pod groups, beside sets whose pods are scheduled alone, with room for some of
// them; users resize them, delete pods, and make and delete the groups.
import { replicaSets } from "../../../api/apps/replicasets.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { pods } from "../../../api/core/pods.ts";
import type { PodGroup, ReplicaSet } from "../../../api/generated/types.ts";
import { type Draft, type Key, key, keyOf } from "../../../api/meta.ts";
import { podGroups } from "../../../api/scheduling/podgroups.ts";
import { priorityClasses } from "../../../api/scheduling/priorityclasses.ts";
import type { Client } from "../../../machinery/client.ts";
import type { Random } from "../../../machinery/world.ts";
import { type ExpectedGroup, gangRules, idleGangs } from "./gang-rules.ts";
import { impatient } from "./lost-nodes.ts";
import { starving } from "./placement-rules.ts";
import { oneOf, type Workload } from "./workload.ts";

const namespace = "gangs";

interface Kind {
  readonly name: string;
  readonly most: number;
  /** Nodes have 16Gi each. */
  readonly memory: string;
  /** Of its group: none, one whose pods are scheduled each on its own, or a gang of at least so many. */
  readonly group?: "basic" | number;
  readonly priorityClassName?: string;
  readonly disruptionMode?: "PodGroup";
}
const kinds: readonly Kind[] = [
  { name: "wide", most: 4, memory: "9Gi", group: 3 },
  { name: "twin", most: 3, memory: "7Gi", group: 2 },
  { name: "many", most: 7, memory: "4Gi", group: 5, disruptionMode: "PodGroup" },
  { name: "urgent", most: 3, memory: "9Gi", group: 2, priorityClassName: "urgent" },
  { name: "loose", most: 4, memory: "5Gi", group: "basic" },
  { name: "alone", most: 4, memory: "6Gi" },
];
const urgency = 1000;
const grouped = kinds.filter(({ group }) => group !== undefined);

const set = ({ name, memory, group, priorityClassName }: Kind, replicas: number): Draft<ReplicaSet> => ({
  kind: "ReplicaSet",
  metadata: { name, namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        tolerations: impatient,
        ...(priorityClassName && { priorityClassName }),
        ...(group !== undefined && { schedulingGroup: { podGroupName: name } }),
        containers: [{ name: "main", image: "app:1", resources: { requests: { memory } } }],
      },
    },
  },
});
const groupOf = ({ name, group, priorityClassName, disruptionMode }: Kind): Draft<PodGroup> => ({
  kind: "PodGroup",
  metadata: { name, namespace },
  spec: {
    schedulingPolicy: typeof group === "number" ? { gang: { minCount: group } } : { basic: {} },
    ...(priorityClassName && { priorityClassName }),
    ...(disruptionMode && { disruptionMode }),
  },
});
const sizeOf = ({ most }: Kind, random: Random): number => Math.floor(random.next() * (most + 1));
const ensureGroup = (user: Client, kind: Kind): Promise<unknown> =>
  user.create(podGroups, groupOf(kind)).catch(() => {});

/** What the rules need to know of the groups, also of those that are deleted. */
const expectations: ReadonlyMap<Key, ExpectedGroup> = new Map(
  grouped.map(({ name, group, priorityClassName, disruptionMode }) => [
    key(namespace, name),
    {
      minCount: Number(group) || 0,
      priority: priorityClassName ? urgency : 0,
      leavesAsOne: disruptionMode === "PodGroup",
    },
  ]),
);

export const gangWorkload: Workload = {
  kinds: [podGroups],
  async begin(user, random) {
    await user.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
    await user.create(priorityClasses, { kind: "PriorityClass", metadata: { name: "urgent" }, value: urgency });
    for (const kind of kinds) await user.create(replicaSets, set(kind, sizeOf(kind, random)));
    for (const kind of grouped) if (random.next() < 0.6) await ensureGroup(user, kind);
  },
  async meddle(user, random) {
    const dice = random.next();
    if (dice < 0.6) {
      // Several at once compete for the same room.
      for (const kind of [oneOf(kinds, random)!, oneOf(kinds, random)!]) {
        const patch = { spec: { replicas: sizeOf(kind, random) } };
        await user.patch(replicaSets, key(namespace, kind.name), { type: "merge", patch });
      }
    } else if (dice < 0.8) {
      const { items } = await user.list(pods, { namespace });
      for (const pod of [oneOf(items, random), oneOf(items, random)]) if (pod) await user.delete(pods, keyOf(pod));
    } else if (dice < 0.95) await ensureGroup(user, oneOf(grouped, random)!);
    else await user.delete(podGroups, key(namespace, oneOf(grouped, random)!.name));
  },
  async heal(user) {
    for (const kind of grouped) await ensureGroup(user, kind);
  },
  rules: () => gangRules(expectations),
  unsettled: (committed) => [...starving(committed), ...idleGangs(committed)],
};
