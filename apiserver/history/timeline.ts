// The changes of objects as items of a history: who changed which fields when. Pure.
import { changesBetween, withoutSecrets } from "../../api/explanation/field-changes.ts";
import type { FieldChange, HistoryItem, ReportedEvent, VersionReference } from "../../api/explanation/history.ts";
import { sameJson } from "../../api/hash.ts";
import { type ApiObject, type Instant, type ManagedFieldsEntry, type Revision, revision } from "../../api/meta.ts";
import { objectOf } from "../registry/codec.ts";
import type { Change, History } from "../storage/storage.ts";

/** RFC 3339 with milliseconds. */
export const preciseTime = (at: Instant): string => new Date(at).toISOString();

export const versionOf = ({ apiVersion, kind, metadata }: ApiObject): VersionReference => {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion, kind, ...(namespace !== undefined && { namespace }), name, uid, resourceVersion };
};

/** Whether a record of fields has the beginning of a path, as far as items of lists. */
function owns({ fieldsV1 }: ManagedFieldsEntry, path: string): boolean {
  let fields: unknown = fieldsV1;
  for (const field of path.split("[")[0]!.split(".")) {
    if (field === "") return true;
    fields = (fields as Readonly<Record<string, unknown>> | undefined)?.[`f:${field}`];
    if (fields === undefined) return false;
  }
  return true;
}

/**
 * The managers of a change: those whose record of fields has become another. A record that only lost fields keeps its
 * time, and one of a manager that writes the same fields twice in a second stays equal.
 */
function managersOf(
  before: ApiObject | undefined,
  after: ApiObject,
  changes: readonly FieldChange[],
): string | undefined {
  const entries = (o: ApiObject | undefined): readonly ManagedFieldsEntry[] => o?.metadata.managedFields ?? [];
  const known = entries(before);
  const changed = entries(after).filter((entry) => !known.some((other) => sameJson(other, entry)));
  const named = changes.find(({ path }) => path !== "metadata.generation");
  const candidates =
    changed.length > 0 ? changed : entries(after).filter((entry) => named !== undefined && owns(entry, named.path));
  const latest = candidates
    .map(({ time = "" }) => time)
    .toSorted()
    .at(-1);
  const names = candidates.flatMap(({ manager = "", time = "" }) =>
    time === latest && manager !== "" ? [manager] : [],
  );
  return names.length === 0 ? undefined : [...new Set(names)].sort().join(", ");
}

type EventObject = ApiObject & {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly note?: string;
  readonly count?: number;
  readonly series?: { readonly count: number };
  readonly source?: { readonly component?: string };
  readonly reportingComponent?: string;
  readonly reportingController?: string;
  readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly uid?: string };
  readonly regarding?: EventObject["involvedObject"];
};
/** The uid of what an event is about. */
export const regardedUid = (object: ApiObject): string | undefined => {
  const { involvedObject, regarding } = object as EventObject;
  return object.kind === "Event" ? (involvedObject ?? regarding)?.uid : undefined;
};

function reportedEvent(object: EventObject): ReportedEvent {
  const { kind = "", name = "" } = object.involvedObject ?? object.regarding ?? {};
  const source = object.source?.component || object.reportingComponent || object.reportingController;
  return {
    ...{ type: object.type ?? "Normal", reason: object.reason ?? "", message: object.message ?? object.note ?? "" },
    count: object.series?.count ?? object.count ?? 1,
    ...(source && { source }),
    regarding: `${kind}/${name}`,
  };
}

/** What is shown of changes. */
export interface Shown {
  /** The values of secrets, instead of their lengths. */
  readonly secrets: boolean;
  /** The objects themselves. */
  readonly objects: boolean;
}

/** One change as an item. */
export function itemOf(
  { now, before, revision: at }: Change,
  timeOf: (at: Revision) => Instant,
  shown: Shown,
): HistoryItem {
  const [after, was] = [now && objectOf(now), before && objectOf(before)];
  const object = (after ?? was)!;
  const changes = after && was ? changesBetween(was, after) : [];
  const isHidden = object.kind === "Secret" && !shown.secrets;
  const manager = after && managersOf(was, after, changes);
  return {
    ...{ revision: at, time: preciseTime(timeOf(at)), type: after ? (was ? "MODIFIED" : "ADDED") : "DELETED" },
    ...(manager !== undefined && { manager }),
    changes: isHidden ? withoutSecrets(changes) : changes,
    object: { ...versionOf(object), resourceVersion: String(at) },
    ...(object.kind === "Event" && { event: reportedEvent(object) }),
    ...(shown.objects && { version: object }),
  };
}

/** How many changes there were in each of `count` equal spans of time from the oldest to the newest change. */
export function bucketsOf(
  { oldest, newest, revisionAt, changes }: Pick<History, "oldest" | "newest" | "revisionAt" | "changes">,
  count: number,
): readonly { readonly from: number; readonly to: number; readonly changes: number }[] {
  const span = (newest.time - oldest.time) / count;
  const edges = Array.from({ length: count + 1 }, (_, i) =>
    i === count ? newest.revision : (revisionAt((oldest.time + span * i) as Instant) ?? oldest.revision),
  );
  edges[0] = oldest.revision;
  return edges.slice(1).map((to, i) => {
    const from = revision(edges[i]!);
    return { from, to, changes: changes("", from, to).length };
  });
}
