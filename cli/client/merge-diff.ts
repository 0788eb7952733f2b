// The JSON merge patch (RFC 7396) between two objects. Pure.
import { sameJson } from "../../api/hash.ts";

type Json = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** The patch that turns `before` into `after`; undefined when they are equal. Lists are atomic. */
export function mergeDiff(before: Json, after: Json): Json | undefined {
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[key], after[key]];
    if (sameJson(old, now)) continue;
    if (now === undefined) patch[key] = null;
    else patch[key] = isMap(old) && isMap(now) ? (mergeDiff(old, now) ?? {}) : now;
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}
