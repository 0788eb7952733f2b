// The usage of a quota, counted from the objects of its namespace. Pure.
import type { ResourceQuota } from "../../generated/types.ts";
import type { ResourceDefinition } from "../../kinds.ts";
import type { ApiObject } from "../../meta.ts";
import type { Amounts } from "../pod/pod-resources.ts";
import type { DeviceQuota } from "./device-usage.ts";
import { isInScopes } from "./scopes.ts";
import { summed, usageOf } from "./usage.ts";

/** All objects of a kind in the namespace. */
export interface ObjectsOfKind {
  readonly r: ResourceDefinition;
  readonly objects: readonly ApiObject[];
}

/** The usage of every resource that the quota limits; zero where nothing counts. */
export function countUsage(quota: ResourceQuota, all: readonly ObjectsOfKind[], devices?: DeviceQuota): Amounts {
  const used: Record<string, string> = Object.fromEntries(
    Object.keys(quota.spec.hard ?? {}).map((name) => [name, "0"]),
  );
  for (const { r, objects } of all)
    for (const object of objects.filter((o) => isInScopes(quota, r, o)))
      for (const [name, amount] of Object.entries(usageOf(r, object, devices)))
        if (used[name] !== undefined) used[name] = summed(used[name], amount);
  return used;
}
