// Pods: what is true of every one, whatever made it.
import { isTerminal, podRequests } from "../../../api/core/pod/status.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Pod } from "../../../api/generated/types.ts";
import { milliOf } from "../../../api/quantity.ts";
import type { Rule } from "../judge.ts";

const boundTwice: Rule<Pod> = {
  name: "bound twice",
  kind: pods,
  broken(pod, before) {
    const from = before?.spec.nodeName;
    return pod && from !== undefined && from !== pod.spec.nodeName ? pod.metadata.name : undefined;
  },
};

const overCommitted: Rule<Pod> = {
  name: "node over-committed",
  kind: pods,
  broken(pod, before, committed) {
    const name = pod?.spec.nodeName;
    if (name === undefined || before?.spec.nodeName !== undefined) return undefined;
    const room = milliOf(committed.all(nodes).find((n) => n.metadata.name === name)?.status?.allocatable?.["cpu"]);
    const holders = committed.all(pods).filter((p) => p.spec.nodeName === name && !isTerminal(p));
    const used = holders.reduce((sum, p) => sum + (podRequests(p.spec)["cpu"] ?? 0), 0);
    return room > 0 && used > room ? `${name}: ${used}m of ${room}m` : undefined;
  },
};

export const podRules: readonly Rule[] = [boundTwice, overCommitted];
