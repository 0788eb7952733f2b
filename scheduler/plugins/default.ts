// The plugins a scheduler runs with unless told otherwise, cheapest and most decisive first.
import type { SchedulerPlugin } from "../framework.ts";
import { nodeAffinity } from "./affinity.ts";
import { imageLocality, nodeName, nodePorts, nodeUnschedulable, taintToleration } from "./node.ts";
import { resourcesFit, type Packing } from "./resources.ts";

export const defaultPlugins = (packing: Packing = "MostAllocated"): readonly SchedulerPlugin[] => [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  resourcesFit(packing),
  imageLocality,
];
