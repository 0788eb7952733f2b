// The conditions of a namespace that is being deleted, as Kubernetes words them. Pure.
import { type Condition, withCondition } from "../../api/conditions.ts";
import type { NamespaceCondition } from "../../api/generated/types.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Instant } from "../../api/meta.ts";

/** What remains of one kind: the count, the finalizers, and why a deletion failed. */
export interface Remaining {
  readonly resource: ResourceDefinition;
  readonly count: number;
  readonly finalizers: readonly string[];
  readonly failure?: string;
}

/** Reason and message of each condition while it is false. */
const falseConditions: Readonly<Record<string, readonly [reason: string, message: string]>> = {
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

function deletionFailures(remaining: readonly Remaining[]): readonly Condition[] {
  const failed = remaining.flatMap((r) => r.failure ?? []);
  if (failed.length === 0) return [];
  const message = `Failed to delete all resource types, ${failed.length} remaining: ${listed(failed)}`;
  return [{ type: "NamespaceDeletionContentFailure", status: "True", reason: "ContentDeletionFailed", message }];
}

function remainingContent(remaining: readonly Remaining[]): readonly Condition[] {
  const left = remaining.filter((r) => r.count > 0);
  if (left.length === 0) return [];
  const counts = left.map(({ resource, count }) => `${resource.plural}.${resource.group} has ${count}`);
  const message = `Some resources are remaining: ${listed(counts.map((count) => `${count} resource instances`))}`;
  return [{ type: "NamespaceContentRemaining", status: "True", reason: "SomeResourcesRemain", message }];
}

function remainingFinalizers(remaining: readonly Remaining[]): readonly Condition[] {
  const counts = new Map<string, number>();
  for (const finalizer of remaining.flatMap((r) => r.finalizers))
    counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  if (counts.size === 0) return [];
  const sentences = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const message = `Some content in the namespace has finalizers remaining: ${listed(sentences)}`;
  return [{ type: "NamespaceFinalizersRemaining", status: "True", reason: "SomeFinalizersRemain", message }];
}

/** The conditions of a namespace with this remaining content. */
export function deletionConditions(
  before: readonly NamespaceCondition[] | undefined,
  remaining: readonly Remaining[],
  now: Instant,
): readonly NamespaceCondition[] {
  const unmet = [...deletionFailures(remaining), ...remainingContent(remaining), ...remainingFinalizers(remaining)];
  return Object.entries(falseConditions).reduce<readonly NamespaceCondition[]>((all, [type, [reason, message]]) => {
    const condition = unmet.find((c) => c.type === type) ?? { type, status: "False", reason, message };
    return withCondition<NamespaceCondition>(all, condition, now);
  }, before ?? []);
}
