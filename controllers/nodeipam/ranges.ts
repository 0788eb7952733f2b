// The pod address ranges of a cluster: which are in use, and the first that is free.

/** Allocates ranges of equal size from a cluster's range, the lowest free one first. */
export interface RangeAllocator {
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
