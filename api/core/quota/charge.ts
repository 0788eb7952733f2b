// What a write changes in a quota, and whether the quota allows it. Pure.
import type { Container, Pod, ResourceQuota } from "../../generated/types.ts";
import type { ResourceDefinition } from "../../kinds.ts";
import type { ApiObject } from "../../meta.ts";
import { parseQuantity } from "../../quantity.ts";
import type { Amounts } from "../pod/pod-resources.ts";
import type { DeviceQuota } from "./device-usage.ts";
import { isInScopes } from "./scopes.ts";
import { summed, usageOf } from "./usage.ts";

/** An object before and after a write; absent before it is created, and after it is removed. */
interface Replacement {
  readonly before: ApiObject | undefined;
  readonly after: ApiObject | undefined;
}

/** The new usage, or why the write is refused. */
export type Charge = { readonly used: Amounts } | { readonly refused: string };

const nanoOf = (text: string | undefined): bigint => parseQuantity(text ?? "0")?.nano ?? 0n;
const texts = (names: readonly string[], amounts: Amounts): string =>
  names.map((name) => `${name}=${amounts[name] ?? "0"}`).join(",");

/** Amounts of containers that a pod must state when a quota limits them. */
const stated = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
function isStated(spec: Pod["spec"], c: Container, resource: string): boolean {
  const [which, name] = resource.startsWith("limits.")
    ? (["limits", resource.slice("limits.".length)] as const)
    : (["requests", resource.replace("requests.", "")] as const);
  return (c.resources?.[which]?.[name] ?? spec.resources?.[which]?.[name]) !== undefined;
}
/** The containers that do not state an amount that the quota limits: `must specify limits.cpu for: web`. */
function unstated({ spec }: Pod, resources: readonly string[]): string | undefined {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const missing = stated
    .filter((resource) => resources.includes(resource))
    .toSorted()
    .flatMap((resource) => {
      const names = all.filter((c) => !isStated(spec, c, resource)).map((c) => c.name);
      return names.length === 0 ? [] : [`${resource} for: ${names.toSorted().join(",")}`];
    });
  return missing.length === 0 ? undefined : `must specify ${missing.join("; ")}`;
}

/**
 * The quota after the write, or the refusal; undefined when the write changes nothing that the quota counts. `devices`
 * is for claims for devices.
 */
export function charge(
  quota: ResourceQuota,
  r: ResourceDefinition,
  { before, after }: Replacement,
  devices?: DeviceQuota,
): Charge | undefined {
  const { hard = {}, used = {} } = quota.status ?? {};
  const { name: quotaName } = quota.metadata;
  const usage = (object: ApiObject | undefined): Amounts =>
    object && isInScopes(quota, r, object) ? usageOf(r, object, devices) : {};
  const [then, now] = [usage(before), usage(after)];
  const limits: Amounts = { ...quota.spec.hard, ...hard };
  const changes = Object.keys(limits)
    .toSorted()
    .map((name) => [name, nanoOf(now[name]) - nanoOf(then[name])] as const)
    .filter(([, change]) => change !== 0n);
  if (changes.length === 0) return undefined;
  const missing = r.kind === "Pod" && !before ? unstated(after as Pod, Object.keys(hard)) : undefined;
  if (missing !== undefined) return { refused: `failed quota: ${quotaName}: ${missing}` };
  const next: Record<string, string> = { ...used };
  // What the quota's controller has not counted yet is not limited yet.
  for (const [name] of changes)
    if (used[name] !== undefined) next[name] = summed(summed(used[name], now[name] ?? "0"), then[name] ?? "0", -1n);
  const exceeded = changes
    .filter(([name, change]) => change > 0n && used[name] !== undefined && nanoOf(next[name]) > nanoOf(hard[name]))
    .map(([name]) => name);
  if (exceeded.length === 0) return { used: next };
  const requested = Object.fromEntries(
    exceeded.map((name) => [name, summed(now[name] ?? "0", then[name] ?? "0", -1n)]),
  );
  const amounts = `requested: ${texts(exceeded, requested)}, used: ${texts(exceeded, used)}, limited: ${texts(exceeded, hard)}`;
  return { refused: `exceeded quota: ${quotaName}, ${amounts}` };
}
