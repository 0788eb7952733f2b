// Reads a part of a server's history as a recording of some kinds: the state at its beginning, and all changes since.
import { hasReason } from "../../api/errors.ts";
import type { History, HistoryItem } from "../../api/explanation/history.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Instant, instantOf, keyOf, revision } from "../../api/meta.ts";
import type { Recording } from "../../machinery/replay.ts";
import type { RecordedChange } from "../../machinery/replay-matching.ts";
import type { Connection } from "./connection.ts";
import { readObjects } from "./lists.ts";
import type { Moment } from "./moments.ts";
import { query, type Resource } from "./resources.ts";

/** Which part of history. */
export interface Span {
  readonly from: Moment;
  readonly to: Moment;
}
/** A recording, and the kinds that may not be read, or are not served. */
export interface ReadRecording {
  readonly recording: Recording;
  readonly missing: ReadonlySet<ResourceDefinition>;
}

const resourceOf = (r: ResourceDefinition): Resource => ({
  ...{ group: r.group, version: r.version, kind: r.kind, plural: r.plural, singular: r.kind.toLowerCase() },
  ...{ namespaced: r.scope === "Namespaced", verbs: ["list"], shortNames: r.shortNames, categories: [] },
  subresources: [],
});

const collection = ({ group, version, plural }: ResourceDefinition): string =>
  group === "" ? `/api/${version}/${plural}` : `/apis/${group}/${version}/${plural}`;

/** The changes of a kind, each with the state before it. */
function changesOf(
  kind: ResourceDefinition,
  initial: readonly ApiObject[],
  items: readonly HistoryItem[],
): readonly RecordedChange[] {
  const present = new Map(initial.map((object) => [keyOf(object), object]));
  return items.map(({ revision: at, time, type, version }): RecordedChange => {
    const object = { ...(version as ApiObject), apiVersion: apiVersionOf(kind), kind: kind.kind };
    const key = keyOf(object);
    const before = present.get(key);
    const after = type === "DELETED" ? undefined : object;
    if (after) present.set(key, after);
    else present.delete(key);
    return { kind, revision: revision(at), time: instantOf(time), before, after };
  });
}

async function readKind(api: Connection, kind: ResourceDefinition, { from, to }: Span) {
  const target = { resource: resourceOf(kind), namespace: undefined, name: undefined };
  const parameters = { objects: true, secrets: true, from: from.revision, to: to.revision };
  const [initial, { items }] = await Promise.all([
    readObjects(api, target, { chunkSize: 500, at: from }),
    api.get<History>(`/history${collection(kind)}${query(parameters)}`),
  ]);
  return { initial, changes: changesOf(kind, initial, items) };
}

/** Reads what the caller may list of these kinds. */
export async function readRecording(
  api: Connection,
  kinds: readonly ResourceDefinition[],
  span: Span,
): Promise<ReadRecording> {
  const missing = new Set<ResourceDefinition>();
  const initial = new Map<ResourceDefinition, readonly ApiObject[]>();
  const changes: RecordedChange[] = [];
  for (const kind of kinds) {
    try {
      const read = await readKind(api, kind, span);
      initial.set(kind, read.initial);
      changes.push(...read.changes);
    } catch (error) {
      if (!hasReason(error, "Forbidden", "NotFound")) throw error;
      missing.add(kind);
    }
  }
  changes.sort((a, b) => a.revision - b.revision);
  const { revision: at, time } = span.from;
  const until = Math.max(span.to.time, changes.at(-1)?.time ?? 0) as Instant;
  return { recording: { kinds: initial, from: { revision: revision(at), time }, until, changes }, missing };
}
