// What a node says about taking pods at all: its name, and whether it is cordoned.
import { tolerates } from "../../api/core/pod/tolerations.ts";
import type { Node, Pod, Taint } from "../../api/generated/types.ts";
import { skip, unresolvable, type Change, type SchedulerPlugin } from "../framework.ts";

const otherName = unresolvable("node(s) didn't match the requested node name");

/** A pod that names its node goes there and nowhere else. */
export const nodeName: SchedulerPlugin = {
  name: "NodeName",
  events: [{ resource: "Node", actions: ["Add"] }],
  preFilter: ({ pod }) => (pod.spec.nodeName ? { state: undefined } : skip),
  filter: (_, node, { pod }) => (node.name === pod.spec.nodeName ? undefined : otherName),
};

const cordon: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const cordoned = unresolvable("node(s) were unschedulable");
const toleratesCordon = ({ spec }: Pod): boolean => (spec.tolerations ?? []).some((t) => tolerates(t, cordon));
const isCordoned = (node: Node | undefined): boolean => node?.spec.unschedulable === true;

/** A cordoned node takes no pod that does not tolerate it. */
export const nodeUnschedulable: SchedulerPlugin = {
  name: "NodeUnschedulable",
  events: [
    {
      resource: "Node",
      actions: ["Add", "UpdateNodeTaint"],
      isSchedulableAfter: (_, { before, after }: Change<Node>) =>
        !isCordoned(after) && (before === undefined || isCordoned(before)),
    },
    { resource: "TargetPod", actions: ["UpdatePodToleration"], isSchedulableAfter: (pod) => toleratesCordon(pod) },
  ],
  preFilter: ({ pod }) => (toleratesCordon(pod) ? skip : { state: undefined }),
  filter: (_, { unschedulable }) => (unschedulable ? cordoned : undefined),
};
