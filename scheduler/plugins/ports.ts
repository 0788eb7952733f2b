// A port of a node is used by one pod at a time, unless they listen on different addresses.
import type { Pod } from "../../api/generated/types.ts";
import { skip, unschedulable, type Change, type SchedulerPlugin } from "../framework.ts";
import { podInfoOf, type HostPort } from "../node-info.ts";

const taken = unschedulable("node(s) didn't have free ports for the requested pod ports");
const everywhere = "0.0.0.0";
const conflicts = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === everywhere || b.ip === everywhere);
const overlap = (requested: readonly HostPort[], used: readonly HostPort[]): boolean =>
  used.some((b) => requested.some((a) => conflicts(a, b)));

export const nodePorts: SchedulerPlugin<readonly HostPort[]> = {
  name: "NodePorts",
  events: [
    {
      resource: "AssignedPod",
      actions: ["Delete"],
      isSchedulableAfter: (pod, { before }: Change<Pod>) =>
        before !== undefined && overlap(podInfoOf(pod).hostPorts, podInfoOf(before).hostPorts),
    },
    { resource: "Node", actions: ["Add"] },
  ],
  preFilter: ({ hostPorts }) => (hostPorts.length === 0 ? skip : { state: hostPorts }),
  filter(requested, { podsWithHostPorts }) {
    for (const { hostPorts } of podsWithHostPorts.values()) if (overlap(requested, hostPorts)) return taken;
    return undefined;
  },
};
