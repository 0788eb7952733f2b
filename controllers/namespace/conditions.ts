// What the status of a namespace that is being emptied says of it, in Kubernetes' words. Pure.
import { type Condition, withCondition } from "../../api/conditions.ts";
import type { NamespaceCondition } from "../../api/generated/types.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Instant } from "../../api/meta.ts";

/** What is left of one kind: how many, the finalizers that hold them, and why they could not be asked to go. */
export interface Rest {
  readonly resource: ResourceDefinition;
  readonly count: number;
  readonly finalizers: readonly string[];
  readonly failure?: string;
}

/** Who waits for a namespace reads all of these; that they are there at all says that somebody is at work on it. */
const fine: Readonly<Record<string, readonly [reason: string, message: string]>> = {
  NamespaceDeletionDiscoveryFailure: ["ResourcesDiscovered", "All resources successfully discovered"],
  NamespaceDeletionGroupVersionParsingFailure: ["ParsedGroupVersions", "All legacy kube types successfully parsed"],
  NamespaceDeletionContentFailure: [
    "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
  ],
  NamespaceContentRemaining: ["ContentRemoved", "All content successfully removed"],
  NamespaceFinalizersRemaining: ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
};

const listed = (sentences: readonly string[]): string => sentences.toSorted().join(", ");

function failures(rests: readonly Rest[]): readonly Condition[] {
  const failed = rests.flatMap((r) => r.failure ?? []);
  if (failed.length === 0) return [];
  const message = `Failed to delete all resource types, ${failed.length} remaining: ${listed(failed)}`;
  return [{ type: "NamespaceDeletionContentFailure", status: "True", reason: "ContentDeletionFailed", message }];
}

function content(rests: readonly Rest[]): readonly Condition[] {
  const left = rests.filter((r) => r.count > 0);
  if (left.length === 0) return [];
  const counts = left.map(({ resource, count }) => `${resource.plural}.${resource.group} has ${count}`);
  const message = `Some resources are remaining: ${listed(counts.map((count) => `${count} resource instances`))}`;
  return [{ type: "NamespaceContentRemaining", status: "True", reason: "SomeResourcesRemain", message }];
}

function holders(rests: readonly Rest[]): readonly Condition[] {
  const counts = new Map<string, number>();
  for (const finalizer of rests.flatMap((r) => r.finalizers)) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  if (counts.size === 0) return [];
  const sentences = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const message = `Some content in the namespace has finalizers remaining: ${listed(sentences)}`;
  return [{ type: "NamespaceFinalizersRemaining", status: "True", reason: "SomeFinalizersRemain", message }];
}

/** The conditions of a namespace of which so much is left. */
export function emptyingConditions(
  before: readonly NamespaceCondition[] | undefined,
  rests: readonly Rest[],
  now: Instant,
): readonly NamespaceCondition[] {
  const amiss = [...failures(rests), ...content(rests), ...holders(rests)];
  return Object.entries(fine).reduce<readonly NamespaceCondition[]>((all, [type, [reason, message]]) => {
    const said = amiss.find((c) => c.type === type) ?? { type, status: "False", reason, message };
    return withCondition<NamespaceCondition>(all, said, now);
  }, before ?? []);
}
