// Node IPAM: assigns every node without a pod address range one of the cluster's.
import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/core/nodes.ts";
import {
  type Controller,
  controller,
  type Decision,
  itself,
  type KeysOf,
  settled,
} from "../../machinery/controller.ts";
import { rangeAllocator } from "./ranges.ts";

export interface Observed {
  readonly node: Node;
  /** The first free range, if there is one. */
  readonly free: string | undefined;
}

const retryMs = 60_000;

/** A full cluster is looked at again: a node may have gone. */
export function decide({ node, free }: Observed): Decision {
  if (node.spec.podCIDR) return settled;
  const message = `Node ${node.metadata.name} status is now: CIDRNotAvailable`;
  if (free === undefined)
    return {
      actions: [{ do: "event", object: node, type: "Warning", reason: "CIDRNotAvailable", message }],
      because: ["all ranges of the cluster are in use"],
      requeueAfter: retryMs,
    };
  const patch = { spec: { podCIDR: free, podCIDRs: [free] } };
  return {
    actions: [{ do: "patch", resource: nodes, object: node, patch: { type: "merge", patch } }],
    because: [`${free} is the first free range`],
  };
}

export function nodeIpamController(clusterCidr: string): Controller<Observed> {
  const ranges = rangeAllocator(clusterCidr);
  const keysOf: KeysOf<Node> = (node, { before, type }) => {
    const [held, had] = [type === "deleted" ? undefined : node.spec.podCIDR, before?.spec.podCIDR];
    if (held !== had) {
      if (had) ranges.release(had);
      if (held) ranges.occupy(held);
    }
    return itself(node);
  };
  return controller({
    name: "nodeipam",
    reconciles: nodes,
    keysOf,
    // Two workers would see the same range free.
    serial: true,
    writes: [{ kind: nodes, verbs: ["patch"] }],
    observe(views, k) {
      const node = views.of(nodes).get(k);
      return node && { node, free: ranges.next() };
    },
    decide,
  });
}
