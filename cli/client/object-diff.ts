// The patch between two versions of an object, in the form that its kind supports.
import type { ApiObject } from "../../api/meta.ts";
import { mergeDiff } from "./merge-diff.ts";

type Json = Readonly<Record<string, unknown>>;
export interface ObjectPatch {
  readonly body: Json;
  readonly contentType: string;
}

const hasList = (value: unknown): boolean =>
  Array.isArray(value) || (typeof value === "object" && value !== null && Object.values(value).some(hasList));

/**
 * The patch that turns `before` into `after`; undefined when they are equal. A merge patch would replace lists whole
 * and undo concurrent changes of other items, so built-in kinds get a strategic one where lists differ.
 */
export async function objectDiff(
  before: ApiObject,
  after: ApiObject,
  { prefersStrategic = false } = {},
): Promise<ObjectPatch | undefined> {
  const [old, now] = [before as unknown as Json, after as unknown as Json];
  const merge = mergeDiff(old, now);
  if (merge === undefined) return undefined;
  const { strategicDiff } = prefersStrategic || hasList(merge) ? await import("./strategic-diff.ts") : {};
  const strategic = strategicDiff?.(old, now);
  return strategic
    ? { body: strategic, contentType: "application/strategic-merge-patch+json" }
    : { body: merge, contentType: "application/merge-patch+json" };
}
