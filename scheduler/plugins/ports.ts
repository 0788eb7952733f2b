// A port of a node is used by one pod at a time, unless they listen on different addresses.
import { type HostPort, overlap } from "../../api/core/pod/host-ports.ts";
import type { Pod } from "../../api/generated/types.ts";
import { skip, unschedulable, type Change, type SchedulerPlugin } from "../framework.ts";
import { podInfoOf } from "../node-info.ts";

const taken = unschedulable("node(s) didn't have free ports for the requested pod ports");

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
  sign: ({ hostPorts }) => (hostPorts.length === 0 ? "" : JSON.stringify(hostPorts)),
  preFilter: ({ hostPorts }) => (hostPorts.length === 0 ? skip : { state: hostPorts }),
  filter(requested, { podsWithHostPorts }) {
    for (const { hostPorts } of podsWithHostPorts.values()) if (overlap(requested, hostPorts)) return taken;
    return undefined;
  },
  remedies: (requested, { podsWithHostPorts }) =>
    podsWithHostPorts
      .values()
      .flatMap(({ key, hostPorts }) =>
        requested
          .filter((port) => overlap([port], hostPorts))
          .map(({ port, protocol }) => ({ change: `port ${port}/${protocol} free, which ${key} uses`, effort: 1 })),
      )
      .toArray(),
};
