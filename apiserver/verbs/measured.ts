// Serves virtual kinds that are computed on request, such as metrics: they can only be read.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { World } from "../../machinery/world.ts";
import type { Measured } from "../registry/in-process.ts";
import { methodNotServed } from "../registry/refusals.ts";
import { type ApiReply, type ApiRequest, type Extension, reply } from "../request/request-response.ts";
import { listQuery } from "../request/list-options.ts";
import { rendered, renderedList, viewOf } from "../response/render.ts";
import type { ResourcePath } from "../request/path.ts";
import { withDeprecationWarning } from "../response/warnings.ts";

/** Serves virtual kinds from their source. */
export function measuredKinds(kinds: KindRegistry, measured: Measured, world: World): Extension {
  const read = async (r: ResourceDefinition, path: ResourcePath, request: ApiRequest): Promise<ApiReply> => {
    const view = viewOf(request, world.clock.now());
    if (path.name !== undefined) return reply(rendered(r, await measured.get(r, path.namespace, path.name), view));
    const items = await measured.list(r, listQuery(request.query, path.namespace));
    return renderedList(r, items, {}, view);
  };
  return async (request) => {
    const path = request.place;
    const r = path && kinds.of(path);
    if (!path || r?.virtual !== "measured") return undefined;
    if (request.method !== "GET" || path.subresource !== undefined) throw methodNotServed();
    return withDeprecationWarning(r, read(r, path, request));
  };
}
