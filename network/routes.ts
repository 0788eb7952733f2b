// Routes to the pods of other nodes: one per node, through its InternalIP.
import type { Node } from "../api/generated/types.ts";
import { addressOf } from "../api/core/nodes.ts";
import type { Run } from "./command.ts";

/** A node's podCIDR to its address. */
type Routes = ReadonlyMap<string, string>;

/** The routes of node `self`: to every other node with a podCIDR and an address. Pure. */
export function routesOf(nodes: readonly Node[], self: string): Routes {
  return new Map(
    nodes.flatMap((n) => {
      const via = addressOf(n, "InternalIP");
      return n.metadata.name === self || via === undefined || !n.spec.podCIDR ? [] : [[n.spec.podCIDR, via] as const];
    }),
  );
}

/** The arguments for `ip` that turn one set of routes into another. Pure. */
export function routeChanges(before: Routes, next: Routes): readonly (readonly string[])[] {
  return [
    ...[...before].filter(([range]) => !next.has(range)).map(([range, via]) => ["route", "del", range, "via", via]),
    ...[...next]
      .filter(([range, via]) => before.get(range) !== via)
      .map(([range, via]) => ["route", "replace", range, "via", via]),
  ];
}

/** The routes to pods in the output of `ip route`: after a restart the kernel still has the old ones. Pure. */
export function parseRoutes(text: string, podPrefix: string): Routes {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, range, via] = /^(\S+) via (\S+)/.exec(line) ?? [];
      return range?.startsWith(podPrefix) && via ? [[range, via] as const] : [];
    }),
  );
}

/** Changes the kernel's routes one by one; rejects with the first failure after all were tried. */
export async function applyRoutes(before: Routes, next: Routes, run: Run): Promise<void> {
  const failures: unknown[] = [];
  for (const change of routeChanges(before, next)) await run("ip", change).catch((e: unknown) => failures.push(e));
  if (failures.length > 0) throw failures[0];
}
