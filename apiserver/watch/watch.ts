// Watches on the wire: where one begins, one JSON document per event, how often bookmarks are sent, and when it ends.
import { formatTraceparent } from "../../api/explanation/trace.ts";
import type { Revision, ApiObject, Key } from "../../api/meta.ts";
import type { Clock, World } from "../../machinery/world.ts";
import type { StoredEvent } from "../registry/listing.ts";
import { type ResourceDefinition, apiVersionOf } from "../../api/kinds.ts";
import type { Selection } from "../../machinery/client.ts";
import { objectAt, prefixOf, wireBytes } from "../registry/codec.ts";
import type { Registry } from "../registry/verbs.ts";
import { type ApiReply, type Call, statusOf } from "../request/request-response.ts";
import { type View, rendered, negotiatedStream, viewOf } from "../response/render.ts";
import { bookmarkTable } from "../response/table.ts";
import { ApiError } from "../../api/errors.ts";
import { matcherOf } from "../registry/selection.ts";
import { type ListQuery, parseRevision } from "../request/options.ts";
import { flag, wholeNumber } from "../request/path.ts";

/** How often bookmarks are sent. */
export interface Pace {
  readonly everyMs: number;
  /** A last bookmark is sent after so long, with or without progress: the watch is about to end. */
  readonly lastAfterMs?: number;
}

/** The same events, with at most one progress in each `everyMs`; the last one is never lost. */
export async function* paced(
  events: AsyncIterable<StoredEvent>,
  { everyMs, lastAfterMs, from }: Pace & { readonly from: Revision },
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent> {
  const reader = events[Symbol.asyncIterator]();
  let next = reader.next();
  let wake = (): void => {};
  let [isDue, hasNews, isLast] = [true, false, false];
  let reached = from;
  const later = (ms: number, then: () => void): void =>
    void clock.sleep(ms, signal).then(
      () => {
        then();
        wake();
      },
      () => {},
    );
  if (lastAfterMs !== undefined) later(lastAfterMs, () => (isLast = true));
  try {
    for (;;) {
      if (isLast || (isDue && hasNews)) {
        [isDue, hasNews, isLast] = [false, false, false];
        later(everyMs, () => (isDue = true));
        yield { type: "PROGRESS", revision: reached };
        continue;
      }
      // Created for every wait: a long-lived promise would retain all its listeners.
      const woken = new Promise<undefined>((resolve) => (wake = () => resolve(undefined)));
      const result = await Promise.race([next, woken]);
      if (!result) continue;
      if (result.done) return;
      next = reader.next();
      reached = result.value.revision;
      if (result.value.type === "PROGRESS") hasNews = true;
      else yield result.value;
    }
  } finally {
    // The pending read ends with the signal, and is not awaited.
    next.catch(() => {});
    await reader.return?.();
  }
}

/** What a watch begins with. */
export type Beginning =
  | { readonly with: "what came after"; readonly from: Revision }
  | { readonly with: "what comes" }
  /** The current objects, not older than `atLeast`; with bookmarks, one marks the end of the initial objects. */
  | { readonly with: "what there is"; readonly atLeast: Revision };

/** Where a watch begins, and how often it sends bookmarks. */
export interface WatchRequest {
  readonly r: ResourceDefinition;
  readonly selection: Selection;
  readonly begin: Beginning;
  /** Absent: no bookmarks. */
  readonly bookmarks?: Pace;
  readonly view: View;
  /** Whether lines carry the contexts of traces. Only the cluster's own components request it. */
  readonly isTraced?: boolean;
}

const line = (type: string, object: Buffer | string, traceparent?: string): Buffer =>
  Buffer.concat([
    Buffer.from(`{"type":"${type}","object":`),
    typeof object === "string" ? Buffer.from(object) : object,
    Buffer.from(traceparent === undefined ? "}\n" : `,"traceparent":"${traceparent}"}\n`),
  ]);

type Telling = Exclude<StoredEvent, { type: "PROGRESS" }>;

// Watches of a kind receive the same event one after the other, so the last line is nearly always needed next.
let last: { readonly event: Telling; readonly bytes: Buffer } | undefined;
/** A stored event as a line, which is encoded once for all watches. */
function plainLine(event: Telling): Buffer {
  const { type, stored, revision: at } = event;
  const known = last?.event;
  if (known?.stored !== stored || known.type !== type || known.revision !== at)
    last = { event, bytes: line(type, wireBytes(stored, "", at)) };
  return last!.bytes;
}

/** The line of a watch that continues traces: with the context of the write behind the event, if that was traced. */
function tracedLine(event: Telling, r: ResourceDefinition, { tracer }: World): Buffer {
  const { type, stored, revision: at } = event;
  const key = stored.key.slice(prefixOf(r).length) as Key;
  const span = tracer?.causeOf({ kind: r.kind, key, revision: at });
  return span ? line(type, wireBytes(stored, "", at), formatTraceparent(span)) : plainLine(event);
}

/** Turns what happens into lines; a table names its columns only the first time. */
interface Writer {
  event(event: Telling): Buffer;
  bookmark(at: Revision, isInitialEnd: boolean): Buffer;
}
function writerOf({ r, view: requestedView, isTraced }: WatchRequest, world: World): Writer {
  const { clock } = world;
  let headers = true;
  // Ages in tables are those at the time of the event.
  const view = (): View => ({ ...requestedView, now: clock.now() });
  const once = (): boolean => {
    const first = headers;
    headers = false;
    return first;
  };
  return {
    event(event) {
      if (requestedView.form === "Plain") return isTraced ? tracedLine(event, r, world) : plainLine(event);
      const { type, stored, revision: at } = event;
      return line(type, JSON.stringify(rendered(r, objectAt(stored, at), view(), once())));
    },
    bookmark(at, isInitialEnd) {
      const annotations = isInitialEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
      const metadata = { resourceVersion: String(at), creationTimestamp: null, ...annotations };
      const object = { kind: r.kind, apiVersion: apiVersionOf(r), metadata } as unknown as ApiObject;
      if (requestedView.form === "Table")
        return line("BOOKMARK", JSON.stringify(bookmarkTable(r, object, { ...view(), headers: once() })));
      return line("BOOKMARK", JSON.stringify(rendered(r, object, view())));
    },
  };
}

/** The lines of a watch until the signal is aborted. An error, such as compacted history, is the last line. */
export async function* watchLines(
  registry: Registry,
  request: WatchRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { r, selection, bookmarks, begin } = request;
  const write = writerOf(request, registry.world);
  try {
    let from = begin.with === "what came after" ? begin.from : undefined;
    if (begin.with === "what there is") {
      const page = await registry.list(r, { ...selection, atLeast: begin.atLeast });
      for (const stored of page.entries) yield write.event({ type: "ADDED", stored, revision: stored.modified });
      from = page.revision;
      if (bookmarks) yield write.bookmark(from, true);
    }
    from ??= await registry.revision();
    const events = registry.watch(r, { ...selection, from }, signal);
    for await (const event of bookmarks
      ? paced(events, { ...bookmarks, from }, registry.world.clock, signal)
      : events) {
      if (event.type !== "PROGRESS") yield write.event(event);
      else if (bookmarks) yield write.bookmark(event.revision, false);
    }
  } catch (e) {
    if (!signal.aborted) yield line("ERROR", JSON.stringify(statusOf(e).status));
  }
}

/** Default shortest time between bookmarks. */
const usualBookmarkMs = 60_000;
/** The last bookmark is sent so long before the end, for the client to resume from. */
const lastBookmarkMs = 2_000;
/** Watches without an end of their own last this long, or up to twice: so clients spread over servers again. */
const usualSeconds = 1_800;
/** What a timer can count to. */
const mostMs = 2 ** 31 - 1;

function beginningOf({ sendInitialEvents, resourceVersion }: ListQuery): Beginning {
  const requested = parseRevision(resourceVersion);
  // Kubernetes omits the reason here, and clients rely on it.
  if ("wrong" in requested) throw new ApiError("Unknown", requested.wrong);
  if (sendInitialEvents) return { with: "what there is", atLeast: requested.at };
  return requested.at === 0 ? { with: "what comes" } : { with: "what came after", from: requested.at };
}

/** Answers with a stream of events. What cannot be streamed is refused before it begins. */
export function watch({ registry, r, request }: Call, q: ListQuery): ApiReply {
  const { query, signal } = request;
  const { clock, random } = registry.world;
  const { namespace, labelSelector, fieldSelector } = q;
  const selection = { namespace, labelSelector, fieldSelector };
  if (!r.form) matcherOf(r, selection);
  const seconds = q.timeoutSeconds || usualSeconds * (1 + random.next());
  const ms = Math.min(Math.max(0, seconds * 1000), mostMs);
  const ended = new AbortController();
  clock.sleep(ms, signal).then(
    () => ended.abort(),
    () => ended.abort(),
  );
  const requested = {
    r,
    selection,
    begin: beginningOf(q),
    ...(q.allowWatchBookmarks && {
      bookmarks: {
        everyMs: wholeNumber(query, "bookmarkMilliseconds") ?? usualBookmarkMs,
        ...(ms > lastBookmarkMs && { lastAfterMs: ms - lastBookmarkMs }),
      },
    }),
    view: viewOf(request, clock.now(), negotiatedStream(request.headers.accept)),
    isTraced: registry.world.tracer !== undefined && flag(query, "traceparents"),
  };
  return {
    status: 200,
    headers: { "content-type": "application/json" },
    stream: watchLines(registry, requested, ended.signal),
    isUrgent: true,
  };
}
