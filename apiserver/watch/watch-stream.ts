// A watch on the wire: one JSON document per line, of type ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject, Revision } from "../../api/meta.ts";
import type { Selection } from "../../machinery/client.ts";
import { objectAt, wireBytes } from "../registry/codec.ts";
import type { StoredEvent } from "../registry/listing.ts";
import type { Registry } from "../registry/verbs.ts";
import type { Clock } from "../../machinery/world.ts";
import { statusOf } from "../request/request-response.ts";
import { type Pace, paced } from "./progress.ts";
import { rendered, type View } from "../response/render.ts";
import { bookmarkTable } from "../response/table.ts";

/** What a watch begins with. */
export type Beginning =
  | { readonly with: "what came after"; readonly from: Revision }
  | { readonly with: "what comes" }
  /** As it is now, which must not be older than `atLeast`; and with bookmarks, a word that this was all. */
  | { readonly with: "what there is"; readonly atLeast: Revision };

/** Where a watch begins, and how often it sends bookmarks. */
export interface WatchRequest {
  readonly r: ResourceDefinition;
  readonly selection: Selection;
  readonly begin: Beginning;
  /** Absent: no bookmarks. */
  readonly bookmarks?: Pace;
  readonly view: View;
}

const line = (type: string, object: Buffer | string): Buffer =>
  Buffer.concat([
    Buffer.from(`{"type":"${type}","object":`),
    typeof object === "string" ? Buffer.from(object) : object,
    Buffer.from("}\n"),
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

/** Turns what happens into lines; a table names its columns only the first time. */
interface Writer {
  event(event: Telling): Buffer;
  bookmark(at: Revision, isInitialEnd: boolean): Buffer;
}
function writerOf({ r, view: requestedView }: WatchRequest, clock: Clock): Writer {
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
      if (requestedView.form === "Plain") return plainLine(event);
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
  const write = writerOf(request, registry.world.clock);
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
