// The plugins of the default profile, in the order in which they run, cheapest and most decisive first.
import type { SchedulerPlugin } from "../framework.ts";
import { nodeAffinity } from "./affinity.ts";
import { defaultBinder } from "./binder.ts";
import { imageLocality } from "./images.ts";
import { nodeName, nodeUnschedulable } from "./node.ts";
import { nodePorts } from "./ports.ts";
import { defaultPreemption, dynamicResources } from "./preemption.ts";
import { prioritySort, schedulingGates } from "./queueing.ts";
import { resourcesFit, type Packing } from "./resources.ts";
import { taintToleration } from "./taints.ts";

export const defaultPlugins = (packing: Packing = "MostAllocated"): readonly SchedulerPlugin[] => [
  schedulingGates,
  prioritySort,
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  resourcesFit(packing),
  dynamicResources,
  defaultPreemption,
  imageLocality,
  defaultBinder,
];
