// Reads of the past: GET of /history/revisions, and of /history followed by the path of an object or a collection, for
// those who may read that now.
import { ApiError } from "../../api/errors.ts";
import type { HistoryMoment, HistoryRange } from "../../api/explanation/history.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type Instant, instantOf, key, type Revision, revision } from "../../api/meta.ts";
import type { Authorizer, User } from "../authorization/authorizer.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { methodNotServed, notAhead, nowhere } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import { flag, historyPath, type ResourcePath, resourcePath, wholeNumber } from "../request/path.ts";
import { type ApiReply, type ApiRequest, type Extension, reply } from "../request/request-response.ts";
import { type Change, Compacted, type Moment, type Storage } from "../storage/storage.ts";
import { defaultHistoryLimits, type HistoryLimits } from "./limits.ts";
import { type References, references } from "./references.ts";
import { bucketsOf, itemOf, preciseTime, type Shown } from "./timeline.ts";

/** What reads of the past are served from. */
export interface HistorySource {
  readonly registry: Registry;
  readonly storage: Storage;
  readonly authorizer: Authorizer;
  readonly limits: HistoryLimits | undefined;
}

const apiVersion = "orrery.dev/v1";
const momentOf = ({ revision: at, time }: Moment): HistoryMoment => ({ revision: at, time: preciseTime(time) });

/** The refusal of a moment before history. */
const tooOld = (what: string, { revision: at, time }: Moment): ApiError =>
  new ApiError("Expired", `${what} is no longer kept: history reaches back to revision ${at} (${preciseTime(time)})`);

function timeIn(text: string): Instant {
  const time = instantOf(text);
  if (!Number.isNaN(time)) return time;
  throw new ApiError("BadRequest", `time: ${JSON.stringify(text)} is not RFC 3339, such as 2026-01-31T12:00:00Z`);
}

const mostBuckets = 1000;

/** How far history reaches, or one point of it. */
function revisions({ storage: { history }, limits = defaultHistoryLimits }: HistorySource, query: URLSearchParams) {
  const { oldest, newest, bytes } = history;
  const [time, at, buckets] = [query.get("time"), wholeNumber(query, "revision"), wholeNumber(query, "buckets")];
  if (time !== null) {
    const found = history.revisionAt(timeIn(time));
    if (found === undefined) throw tooOld(time, oldest);
    return reply({ kind: "HistoryPoint", apiVersion, revision: found, time: preciseTime(history.timeOf(found)) });
  }
  if (at !== undefined) {
    const requested = revision(at);
    notAhead(requested, newest.revision);
    if (requested < oldest.revision) throw tooOld(`revision ${at}`, oldest);
    return reply({
      kind: "HistoryPoint",
      apiVersion,
      revision: requested,
      time: preciseTime(history.timeOf(requested)),
    });
  }
  if (buckets !== undefined && (buckets < 1 || buckets > mostBuckets))
    throw new ApiError("BadRequest", `buckets: must be between 1 and ${mostBuckets}`);
  const range: HistoryRange = {
    ...{ kind: "HistoryRange", apiVersion, oldest: momentOf(oldest), newest: momentOf(newest), bytes },
    limits: { ageSeconds: limits.ageMs / 1000, bytes: limits.bytes },
    ...(buckets !== undefined && { buckets: bucketsOf(history, buckets) }),
  };
  return reply(range);
}

/** Which part of history is requested: after `from`, up to `to`. */
interface Span {
  readonly from: Revision;
  readonly to: Revision;
}

function spanIn(query: URLSearchParams, { oldest, newest }: Storage["history"]): Span {
  const from = revision(wholeNumber(query, "from") ?? oldest.revision);
  const to = revision(wholeNumber(query, "to") ?? newest.revision);
  notAhead(to, newest.revision);
  if (from < oldest.revision) throw tooOld(`revision ${from}`, oldest);
  if (to < from) throw new ApiError("BadRequest", `from: ${from} is after to: ${to}`);
  return { from, to };
}

/** The kind and the place of a storage key, as a request would name them. */
function placeOf(storageKey: string, kinds: readonly ResourceDefinition[]) {
  const [, group = "", plural = "", ...place] = storageKey.split("/");
  const r = kinds.find((other) => other.group === group && other.plural === plural);
  const [namespace, name] = place.length > 1 ? place : [undefined, place[0]];
  return r && { r, namespace, name: name! };
}

/** Which of these keys a user may get. */
async function readable(
  storageKeys: readonly string[],
  user: User,
  { registry, authorizer }: HistorySource,
): Promise<readonly string[]> {
  const kinds = registry.kinds.all();
  const decisions = storageKeys.map(async (storageKey) => {
    const place = placeOf(storageKey, kinds);
    if (!place) return false;
    const { r, namespace, name } = place;
    const resource = { group: r.group, version: r.version, resource: r.plural };
    const request = { verb: "get", ...resource, ...(namespace !== undefined && { namespace }), name, user };
    return (await authorizer.decide(request)).allowed;
  });
  const allowed = await Promise.all(decisions);
  return storageKeys.filter((_, i) => allowed[i]);
}

/** The keys of an object, of what it owns at all levels, and of the events about them. */
function relatedTo(storageKey: string, { history, received }: Storage, index: References): readonly string[] {
  const uidsOf = (of: string): readonly string[] => {
    const versions = history.changesOf(of).flatMap(({ now, before }) => [now, before]);
    const stored = [...versions, received.get(of)].filter((version) => version !== undefined);
    return [...new Set(stored.map((version) => objectOf(version).metadata.uid))];
  };
  const found = new Set([storageKey]);
  // A set is iterated to the keys that are added meanwhile.
  for (const of of found) for (const uid of uidsOf(of)) for (const other of index.to(uid)) found.add(other);
  return [...found];
}

/** The changes of an object, or of a collection. */
async function changesOf(
  source: HistorySource,
  { user, query }: ApiRequest,
  place: ResourcePath & { readonly r: ResourceDefinition },
  index: References,
): Promise<readonly Change[]> {
  const { storage } = source;
  const { from, to } = spanIn(query, storage.history);
  const { r, name, namespace } = place;
  if (name === undefined) return storage.history.changes(prefixOf(r, namespace), from, to);
  const storageKey = `${prefixOf(r)}${key(namespace, name)}`;
  const isRelated = flag(query, "related");
  const storageKeys = isRelated ? await readable(relatedTo(storageKey, storage, index), user, source) : [storageKey];
  return storageKeys
    .flatMap((of) => storage.history.changesOf(of))
    .filter(({ revision: at }) => at > from && at <= to)
    .toSorted((a, b) => a.revision - b.revision);
}

/** Serves the past. */
export function historyApi(source: HistorySource): Extension {
  const { registry, storage } = source;
  const index = references(storage);
  return async (request): Promise<ApiReply | undefined> => {
    const path = historyPath(request.path);
    if (path === undefined) return undefined;
    if (request.method !== "GET") throw methodNotServed();
    // What a client has seen of the present is in its history.
    await storage.revision();
    if (path === "/revisions") return revisions(source, request.query);
    const place = resourcePath(path);
    const r = place && registry.kinds.of(place);
    if (!r || place.subresource !== undefined || place.watch || r.virtual) throw nowhere();
    if (r.scope === "Cluster" ? place.namespace !== undefined : place.name !== undefined && !place.namespace)
      throw nowhere();
    const shown: Shown = { secrets: flag(request.query, "secrets"), objects: flag(request.query, "objects") };
    try {
      const changes = await changesOf(source, request, { ...place, r }, index);
      const items = changes.map((change) => itemOf(change, storage.history.timeOf, shown));
      return reply({ kind: "History", apiVersion, items });
    } catch (e) {
      if (e instanceof Compacted) throw tooOld(`revision ${e.requested}`, storage.history.oldest);
      throw e;
    }
  };
}
