// The plugins of the default profile, among them those that only queue and bind.
import { isAmbiguous } from "../../api/errors.ts";
import { pods } from "../../api/core/pods.ts";
import type { NodeAffinity, TopologySpreadConstraint } from "../../api/generated/types.ts";
import { backoff } from "../../machinery/workqueue.ts";
import { type SchedulerPlugin, unresolvable } from "../framework.ts";
import { nodeAffinity } from "./affinity.ts";
import { dynamicResources } from "./dynamic-resources/plugin.ts";
import { gangScheduling } from "./gang-scheduling.ts";
import { imageLocality } from "./images.ts";
import { nodeDeclaredFeatures } from "./node-features.ts";
import { nodePorts } from "./ports.ts";
import { type CandidateLimits, defaultPreemption } from "./preemption.ts";
import { interPodAffinity } from "./pod-affinity.ts";
import type { Packing, ScoringStrategy, WeightedResource } from "./resource-scores.ts";
import { balancedAllocation, type IgnoredResources, resourcesFit } from "./resources.ts";
import { nodeName, nodeUnschedulable, taintToleration } from "./taints.ts";
import { podTopologySpread, systemConstraints } from "./topology-spread.ts";
import { volumeBinding } from "./volumes/binding.ts";
import { nodeVolumeLimits } from "./volumes/limits.ts";
import { volumeRestrictions } from "./volumes/restrictions.ts";
import { volumeZone } from "./volumes/zones.ts";

const defaultBinder: SchedulerPlugin = {
  name: "DefaultBinder",
  events: [],
  async bind({ pod }, nodeName, { client, clock, signal }) {
    // The same binding is sent again after an unknown outcome: a lost one may still arrive, and must find its room.
    for (let failures = 1; ; failures++) {
      try {
        await client.update(pods, { ...pod, spec: { ...pod.spec, nodeName } }, "binding");
        return undefined;
      } catch (e) {
        if (!isAmbiguous(e)) throw e;
        await clock.sleep(backoff(failures), signal);
      }
    }
  },
};

/** A pod with scheduling gates waits until the last of them is removed (KEP-3521). */
const schedulingGates: SchedulerPlugin = {
  name: "SchedulingGates",
  events: [{ resource: "TargetPod", actions: ["UpdatePodSchedulingGatesEliminated"] }],
  preEnqueue({ spec }) {
    const gates = spec.schedulingGates ?? [];
    return gates.length === 0
      ? undefined
      : unresolvable(`waiting for scheduling gates: [${gates.map((g) => g.name).join(" ")}]`);
  },
};

/** Higher priority first, then whichever has waited longer. */
export const prioritySort: SchedulerPlugin = {
  name: "PrioritySort",
  queueSort: (a, b) => (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) || a.timestamp - b.timestamp,
};

/** The arguments of a profile's plugins. */
export interface PluginArguments {
  readonly scoring: ScoringStrategy;
  readonly ignoredResources?: IgnoredResources;
  /** Nodes whose resources are used in equal parts are preferred. */
  readonly isBalanced?: boolean;
  readonly balancedResources?: readonly WeightedResource[];
  /** Of pods without spread constraints. */
  readonly defaultConstraints?: readonly TopologySpreadConstraint[];
  /** What all pods require and prefer of nodes. */
  readonly addedAffinity?: NodeAffinity;
  readonly hardPodAffinityWeight?: number;
  readonly ignorePreferredTermsOfExistingPods?: boolean;
  readonly bindTimeoutMs?: number;
  readonly deviceBindingTimeoutMs?: number | undefined;
  readonly preemption?: CandidateLimits;
}

/** All plugins with such arguments, in the order of their calls. */
export const pluginsWith = (args: PluginArguments): readonly SchedulerPlugin[] => [
  schedulingGates,
  prioritySort,
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity(args.addedAffinity),
  nodePorts,
  resourcesFit(args.scoring, args.ignoredResources),
  volumeRestrictions,
  nodeVolumeLimits,
  volumeBinding(args.bindTimeoutMs),
  volumeZone,
  podTopologySpread({ defaults: args.defaultConstraints }),
  interPodAffinity(args),
  dynamicResources(args.deviceBindingTimeoutMs),
  defaultPreemption(args.preemption),
  ...(args.isBalanced ? [balancedAllocation(args.balancedResources)] : []),
  imageLocality,
  defaultBinder,
  nodeDeclaredFeatures,
  gangScheduling,
];

/**
 * The default profile. What fills nodes would be undone by what prefers balance and by Kubernetes' default constraints,
 * which spread all pods of a service: these belong to LeastAllocated, Kubernetes' own default.
 */
export const defaultPlugins = (packing: Packing = "MostAllocated"): readonly SchedulerPlugin[] =>
  pluginsWith({
    scoring: { type: packing },
    ...(packing === "LeastAllocated" && { isBalanced: true, defaultConstraints: systemConstraints }),
  });
