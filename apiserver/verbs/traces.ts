// Traces of objects: GET of /traces followed by the path of an object, for those who may read the object; and POST of
// /traces, by which programs on nodes send their spans.
import { ApiError } from "../../api/errors.ts";
import { type SpanRecord, spanObject, type Trace } from "../../api/explanation/trace.ts";
import { key, type Key, splitKey } from "../../api/meta.ts";
import type { Authorizer, User } from "../authorization/authorizer.ts";
import { objectOf } from "../registry/codec.ts";
import { methodNotServed, nowhere } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import { resourcePath, tracedPath, tracesPath } from "../request/path.ts";
import { type Extension, reply, replySuccess } from "../request/request-response.ts";
import { spansIn } from "../traces/decode.ts";
import type { TraceStore } from "../traces/store.ts";

/** Where spans go, and where they are read; without a store they are only exported. */
export interface TracingOptions {
  readonly store?: TraceStore;
  readonly record: (span: SpanRecord) => void;
}

/** A span about an object that the reader may not read: when it was, and where it belongs. */
const hidden = ({ name, object: _, attributes: __, error, ...span }: SpanRecord): SpanRecord => ({
  ...span,
  name: `${name.split(" ", 1)[0]} (of an object you may not read)`,
  ...(error !== undefined && { error: "hidden" }),
});

/** What the user may see of the spans; every object is authorized once. */
async function visible(
  spans: readonly SpanRecord[],
  user: User,
  authorizer: Pick<Authorizer, "decide">,
): Promise<readonly SpanRecord[]> {
  const allowed = new Map<string, boolean>();
  for (const { object } of spans) {
    if (object === undefined || allowed.has(object)) continue;
    const [resource = "", at = ""] = object.split(" ");
    const [group = "", plural = ""] = resource.split("/");
    const decision = await authorizer.decide({
      ...{ user, verb: "get", group, version: "*", resource: plural },
      ...splitKey(at as Key),
    });
    allowed.set(object, decision.allowed);
  }
  const parts = new Set(spans.filter(({ object }) => object && !allowed.get(object)).map(({ spanId }) => spanId));
  return spans.map((span) => (parts.has(span.spanId) ? hidden(span) : span));
}

/** Serves the traces, if they are kept. */
export function tracesApi(
  registry: Registry,
  tracing: TracingOptions | undefined,
  authorizer: Pick<Authorizer, "decide">,
): Extension {
  return async (request) => {
    if (request.path === tracesPath) {
      if (!tracing) throw nowhere();
      if (request.method !== "POST") throw methodNotServed();
      for (const span of spansIn(request.body)) tracing.record(span);
      return replySuccess();
    }
    const path = tracedPath(request.path);
    if (path === undefined) return undefined;
    if (request.method !== "GET") throw methodNotServed();
    const place = resourcePath(path);
    const r = place && registry.kinds.of(place);
    if (!r) throw nowhere();
    if (place.name === undefined || place.subresource !== undefined || place.watch)
      throw new ApiError("BadRequest", "only single objects have traces: the path is /traces and that of the object");
    if ((r.scope === "Namespaced") !== (place.namespace !== undefined)) throw nowhere();
    if (!tracing?.store)
      throw new ApiError(
        "BadRequest",
        "this server keeps no traces: start the cluster with orrery up --trace, or a server with orrery server --trace",
      );
    const at = key(place.namespace, place.name);
    const { kind, metadata } = objectOf(await registry.get(r, at));
    const found = tracing.store.of(spanObject(r, at));
    if (!found)
      throw new ApiError(
        "NotFound",
        `no trace of ${r.plural} ${JSON.stringify(metadata.name)} is kept: it was not written since the server began, or later changes displaced it`,
      );
    const spans = await visible(found.spans, request.user, authorizer);
    const trace: Trace = {
      ...{ kind: "Trace", apiVersion: "orrery.dev/v1" },
      object: { kind, ...(metadata.namespace !== undefined && { namespace: metadata.namespace }), name: metadata.name },
      traceId: found.traceId,
      spans: spans.toSorted((a, b) => a.start - b.start),
      dropped: found.dropped,
    };
    return reply(trace);
  };
}
