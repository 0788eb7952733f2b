// Gives every node that has none a range of pod addresses of its own, cut from the cluster's.
import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/core/nodes.ts";
import { itself, settled, type Controller, type Decision } from "../../machinery/controller.ts";
import type { Informer } from "../../machinery/informer.ts";

export interface Observed {
  readonly node: Node;
  readonly taken: readonly string[];
  readonly clusterCidr: string;
}

const toNumber = (address: string): number => address.split(".").reduce((n, part) => n * 256 + Number(part), 0);
const toAddress = (n: number): string => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join(".");
/** A node's share: 254 pods. */
const nodeMask = 24;

/** The first free range, or undefined when the cluster's is used up. Pure. */
export function nextRange(clusterCidr: string, taken: readonly string[]): string | undefined {
  const [base = "", mask = ""] = clusterCidr.split("/");
  const count = 2 ** (nodeMask - Number(mask));
  const used = new Set(taken);
  // The first range stays free: bridges and people like to find the cluster's own things there.
  for (let i = 1; i < count; i++) {
    const range = `${toAddress(toNumber(base) + i * 2 ** (32 - nodeMask))}/${nodeMask}`;
    if (!used.has(range)) return range;
  }
  return undefined;
}

export function decide({ node, taken, clusterCidr }: Observed): Decision {
  if (node.spec.podCIDR) return settled;
  const podCIDR = nextRange(clusterCidr, taken);
  if (podCIDR === undefined)
    return {
      actions: [
        {
          do: "event",
          object: node,
          type: "Warning",
          reason: "CIDRNotAvailable",
          message: `Node ${node.metadata.name} status is now: CIDRNotAvailable`,
        },
      ],
      requeueAfter: 60_000,
    };
  return {
    actions: [
      {
        do: "patch",
        resource: nodes,
        object: node,
        patch: { type: "merge", patch: { spec: { podCIDR, podCIDRs: [podCIDR] } } },
      },
    ],
  };
}

export const nodeIpamController = (view: Informer<Node>, clusterCidr: string): Controller<Observed> => ({
  name: "nodeipam",
  watches: [{ informer: view, keys: itself }],
  observe: (k) => {
    const node = view.lister.get(k);
    return node && { node, clusterCidr, taken: view.lister.all().flatMap((n) => n.spec.podCIDR ?? []) };
  },
  decide,
});
