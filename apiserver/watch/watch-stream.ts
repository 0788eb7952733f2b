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

/** Where a watch begins and how it tells of progress. */
export interface WatchRequest {
  readonly r: ResourceDefinition;
  readonly selection: Selection;
  readonly begin: Beginning;
  /** Absent: progress is not told. */
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

// What happens is told to all who watch, to one after the other: so the last line is nearly always the next one.
let last: { readonly event: Telling; readonly bytes: Buffer } | undefined;
/** An event as it is stored, as a line that is made once for all who are told of it. */
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
  // Ages are told as they are when they are told.
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

/** The lines of a watch, until the signal is aborted or history is lost; then a last line says so. */
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
