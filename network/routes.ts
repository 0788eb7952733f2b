// How packets for pods of other nodes find their way: one route a node, through that node's own address.
import type { Node } from "../api/generated/types.ts";
import { addressOf } from "../api/core/nodes.ts";
import type { Run } from "./command.ts";

/** Pod range to the address of the node that has it. */
export type Routes = ReadonlyMap<string, string>;

/** Routes `self` should have: to every other node that has told its range and its address. Pure. */
export function routesOf(nodes: readonly Node[], self: string): Routes {
  return new Map(
    nodes.flatMap((n) => {
      const via = addressOf(n, "InternalIP");
      return n.metadata.name === self || via === undefined || !n.spec.podCIDR ? [] : [[n.spec.podCIDR, via] as const];
    }),
  );
}

/** What to lay and what to take up to get from one set of routes to another. Pure. */
export function routeChanges(before: Routes, next: Routes): readonly (readonly string[])[] {
  return [
    ...[...before].filter(([range]) => !next.has(range)).map(([range, via]) => ["route", "del", range, "via", via]),
    ...[...next]
      .filter(([range, via]) => before.get(range) !== via)
      .map(([range, via]) => ["route", "replace", range, "via", via]),
  ];
}

/** The routes to pods that are laid now, as `ip route` prints them: a node starts with those of its life before. */
export function parseRoutes(text: string, podPrefix: string): Routes {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, range, via] = /^(\S+) via (\S+)/.exec(line) ?? [];
      return range?.startsWith(podPrefix) && via ? [[range, via] as const] : [];
    }),
  );
}

/** Change the kernel's table step by step; a step that fails is reported after the others were taken. */
export async function layRoutes(before: Routes, next: Routes, run: Run): Promise<void> {
  const failures: unknown[] = [];
  for (const change of routeChanges(before, next)) await run("ip", change).catch((e: unknown) => failures.push(e));
  if (failures.length > 0) throw failures[0];
}
