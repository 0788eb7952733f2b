// Node IPAM: assigns every node without a pod address range the first free one of the cluster's.
import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/core/nodes.ts";
import { recordEvent } from "../../machinery/action.ts";
import {
  type Controller,
  controller,
  type Decision,
  itself,
  type KeysOf,
  settled,
} from "../../machinery/controller.ts";

/** Allocates ranges of equal size from a cluster's range, the lowest free one first. */
interface RangeAllocator {
  /** The first free range, or undefined when all are in use. Amortized constant time. */
  next(): string | undefined;
  /** Marks a range as used once more; ranges outside the cluster's are ignored. */
  occupy(range: string): void;
  /** Undoes one {@link occupy}. */
  release(range: string): void;
}

const toNumber = (address: string): number => address.split(".").reduce((n, part) => n * 256 + Number(part), 0);
const toAddress = (n: number): string => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join(".");
/** The mask of a node's range: 254 pods. */
const nodeMask = 24;
const size = 2 ** (32 - nodeMask);

/** All ranges free. The first is never handed out: it stays for the cluster's own bridges. */
export function rangeAllocator(clusterCidr: string): RangeAllocator {
  const [address = "", mask = ""] = clusterCidr.split("/");
  const base = toNumber(address);
  const count = 2 ** (nodeMask - Number(mask));
  const uses = new Map<number, number>();
  /** No range below it is free. */
  let lowest = 1;
  const indexOf = (range: string): number | undefined => {
    const [own = "", ownMask] = range.split("/");
    const index = (toNumber(own) - base) / size;
    return Number(ownMask) === nodeMask && Number.isInteger(index) && index > 0 && index < count ? index : undefined;
  };
  return {
    next() {
      while (uses.has(lowest)) lowest++;
      return lowest < count ? `${toAddress(base + lowest * size)}/${nodeMask}` : undefined;
    },
    occupy(range) {
      const index = indexOf(range);
      if (index !== undefined) uses.set(index, (uses.get(index) ?? 0) + 1);
    },
    release(range) {
      const index = indexOf(range);
      const used = index === undefined ? undefined : uses.get(index);
      if (index === undefined || used === undefined) return;
      if (used > 1) return void uses.set(index, used - 1);
      uses.delete(index);
      lowest = Math.min(lowest, index);
    },
  };
}

export interface Observed {
  readonly node: Node;
  /** The first free range, if there is one. */
  readonly free: string | undefined;
}

const retryMs = 60_000;

/** Without a free range the node is requeued: another node may have been deleted. */
export function decide({ node, free }: Observed): Decision {
  if (node.spec.podCIDR) return settled;
  if (free === undefined) {
    const message = `Node ${node.metadata.name} status is now: CIDRNotAvailable`;
    const actions = [recordEvent(node, "Warning", "CIDRNotAvailable", message)];
    return { actions, because: ["all ranges of the cluster are in use"], requeueAfter: retryMs };
  }
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
    ...{ name: "nodeipam", account: "node-controller" },
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
