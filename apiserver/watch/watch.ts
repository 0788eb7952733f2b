// A watch request: where it begins, how often it sends bookmarks, and when it ends.
import { ApiError } from "../../api/errors.ts";
import { wantedBy } from "../registry/selection.ts";
import { negotiatedStream, viewOf } from "../response/render.ts";
import type { Call } from "../request/call.ts";
import type { ApiReply } from "../request/request-response.ts";
import { type ListQuery, parseRevision } from "../request/list-options.ts";
import { wholeNumber } from "../request/path.ts";
import { type Beginning, watchLines } from "./watch-stream.ts";

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
  // The original forgets to say that the request is at fault; clients know it so.
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
  if (!r.form) wantedBy(r, selection);
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
  };
  return {
    status: 200,
    headers: { "content-type": "application/json" },
    stream: watchLines(registry, requested, ended.signal),
    isUrgent: true,
  };
}
