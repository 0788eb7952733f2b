// Serves virtual kinds that are computed on request, such as metrics: they can only be read.
import type { Measured } from "../registry/in-process.ts";
import { methodNotServed } from "../registry/refusals.ts";
import type { Handler } from "../request/call.ts";
import { reply } from "../request/request-response.ts";
import { listQuery } from "../request/list-options.ts";
import { rendered, renderedList, viewOf } from "../response/render.ts";

/** Serves virtual kinds from their source. */
export const measuredKinds =
  (measured: Measured): Handler =>
  async ({ registry, r, path, request }) => {
    if (request.method !== "GET" || path.subresource !== undefined) throw methodNotServed();
    const view = viewOf(request, registry.world.clock.now());
    if (path.name !== undefined) return reply(rendered(r, await measured.get(r, path.namespace, path.name), view));
    return renderedList(r, await measured.list(r, listQuery(request.query, path.namespace)), {}, view);
  };
