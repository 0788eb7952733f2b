// The verbs that read: get, list, watch; also of virtual kinds that are computed on request, such as metrics.
import type { Measured } from "../registry/in-process.ts";
import { methodNotServed, notAhead } from "../registry/refusals.ts";
import { type Handler, type Call, type ApiReply, reply } from "../request/request-response.ts";
import { listQuery, momentOf, parseRevision } from "../request/options.ts";
import { rendered, renderedList, viewOf, replyList, replyStored } from "../response/render.ts";
import { ApiError } from "../../api/errors.ts";
import { key } from "../../api/meta.ts";
import { watch } from "../watch/watch.ts";

/** Serves virtual kinds from their source. */
export const measuredKinds =
  (measured: Measured): Handler =>
  async ({ registry, r, path, request }) => {
    if (request.method !== "GET" || path.subresource !== undefined) throw methodNotServed();
    const view = viewOf(request, registry.world.clock.now());
    if (path.name !== undefined) return reply(rendered(r, await measured.get(r, path.namespace, path.name), view));
    return renderedList(r, await measured.list(r, listQuery(request.query, path.namespace)), {}, view);
  };

/** The objects of a path, or what becomes of them from now on. */
export async function list(call: Call): Promise<ApiReply> {
  const { registry, r, path, request } = call;
  const view = viewOf(request, registry.world.clock.now());
  const options = listQuery(request.query, path.namespace);
  if (options.watch) return watch(call, options);
  const page = await registry.list(r, { ...options, ...momentOf(options) });
  request.trace?.("listed");
  return replyList(r, page, view);
}

/** One object. */
export async function get(call: Call): Promise<ApiReply> {
  const { registry, r, path, request } = call;
  const view = viewOf(request, registry.world.clock.now());
  const requested = parseRevision(request.query.get("resourceVersion") ?? "");
  // Kubernetes omits the reason here, and clients rely on it.
  if ("wrong" in requested) throw new ApiError("Unknown", requested.wrong);
  if (requested.at > 0) notAhead(requested.at, await registry.revision());
  const stored = await registry.get(r, key(path.namespace, path.name!));
  request.trace?.("read");
  return replyStored(call, stored, view);
}

/**
 * The old way to watch: a path of its own. A name in it is the same as a selector, and is contradicted by another one.
 */
export async function watchByPath(call: Call): Promise<ApiReply> {
  const { path, request } = call;
  const options = listQuery(request.query, path.namespace, true);
  const { name } = path;
  if (name === undefined) return watch(call, options);
  const other = options.fieldSelector ?? "";
  if (other !== "" && !other.split(",").includes(`metadata.name=${name}`))
    throw new ApiError("BadRequest", "fieldSelector metadata.name doesn't match requested name");
  return watch(call, { ...options, fieldSelector: other || `metadata.name=${name}` });
}
