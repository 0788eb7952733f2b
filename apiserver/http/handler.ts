// From a request to its response: which handler serves its path, and for a kind its method on a collection, on one
// object, or on a subresource.
import { ApiError } from "../../api/errors.ts";
import { methodNotServed, nowhere } from "../registry/refusals.ts";
import { strategyOf } from "../registry/strategies/table.ts";
import { type ObjectVerb, type SubresourceDefinition, subresourceOf } from "../registry/subresources.ts";
import { negotiated } from "../response/render.ts";
import type { Call } from "../request/call.ts";
import {
  type ApiReply,
  type ApiRequest,
  type Extension,
  type WholeReply,
  replyError,
  replyLines,
} from "../request/request-response.ts";
import { collectionDelete } from "../verbs/collection-delete.ts";
import { patchRequest } from "../verbs/patching.ts";
import { get, list, watchByPath } from "../verbs/reads.ts";
import { bindPod, evictPod } from "../verbs/subresources.ts";
import { withDeprecationWarning } from "../response/warnings.ts";
import { create, remove, update } from "../verbs/writes.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { Registry } from "../registry/verbs.ts";
import { discovery } from "../discovery/discovery.ts";
import { packed, encodeResponse } from "../response/encode.ts";
import { type Checks, health, healthPaths } from "./health.ts";
import { openApi } from "../openapi/openapi.ts";
import { isClaimed } from "../request/path.ts";
import { version } from "../discovery/version.ts";

type Handler = (call: Call) => Promise<ApiReply>;
type Handlers = Readonly<Record<string, Handler>>;
const onCollection: Handlers = { GET: list, POST: create, DELETE: collectionDelete };
const onUndeletableCollection: Handlers = { GET: list, POST: create };
/** Objects of all namespaces are only listed together. */
const onAllNamespaces: Handlers = { GET: list };
const onObject: Handlers = { GET: get, PUT: update, PATCH: patchRequest, DELETE: remove };
const onWatchPath: Handlers = { GET: watchByPath };

const verbs: Readonly<Record<string, ObjectVerb>> = { GET: "get", PUT: "update", PATCH: "patch", POST: "create" };
/** Subresources whose creation does something else than to write the subresource. */
const creations: Partial<Readonly<Record<string, Handler>>> = { binding: bindPod, eviction: evictPod };

/** A name is one step of a path: what could be none cannot be the name of anything. */
function checkPathSegment(name = ""): void {
  const faults = [
    ...(name === "." || name === ".." ? [`may not be '${name}'`] : []),
    ...["/", "%"].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`),
  ];
  if (faults.length === 0) return;
  throw new ApiError("BadRequest", `Name parameter invalid: ${JSON.stringify(name)}: ${faults.join(";")}`);
}

function handlersAt({ r, path }: Call): Handlers {
  if (path.watch) return onWatchPath;
  const lacksNamespace = r.scope === "Namespaced" && path.namespace === undefined;
  if (path.name !== undefined) {
    if (lacksNamespace) throw nowhere();
    return onObject;
  }
  if (lacksNamespace) return onAllNamespaces;
  return strategyOf(r).deletion.isSingle ? onUndeletableCollection : onCollection;
}

function subresourceHandler({ path: { subresource = "" }, request }: Call, definition: SubresourceDefinition): Handler {
  const verb = verbs[request.method];
  if (!verb || !definition.verbs.includes(verb)) throw methodNotServed();
  const handler = verb === "create" ? creations[subresource] : onObject[request.method];
  if (!handler) throw methodNotServed();
  return handler;
}

/** Handles a request to a kind. */
async function handleKind(call: Call): Promise<ApiReply> {
  const { r, path, request } = call;
  if (!call.subresource && path.subresource !== undefined) throw nowhere();
  const handlers = handlersAt(call);
  const handler = call.subresource ? subresourceHandler(call, call.subresource) : handlers[request.method];
  if (!handler) throw methodNotServed();
  checkPathSegment(path.name);
  // Negotiated before the verb is carried out: a write whose reply cannot be given must not happen.
  negotiated(request.headers.accept);
  return r.deprecated === undefined ? handler(call) : withDeprecationWarning(r, handler(call));
}

/** The reply to a path outside every served group, in plain text as Kubernetes gives it. */
const notFoundPage: WholeReply = {
  status: 404,
  body: "404 page not found\n",
  headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
};

/** Handles every request; errors become replies. */
export function requestHandler(
  registry: Registry,
  kinds: KindRegistry,
  extensions: readonly Extension[],
  checks: Checks = { livez: [], readyz: [], healthz: [] },
): (request: ApiRequest) => Promise<ApiReply> {
  const discover = discovery(kinds, healthPaths(checks));
  const documents = openApi(kinds, () => registry.world.clock.now());
  const callOf = (request: ApiRequest): Call | undefined => {
    const path = request.place;
    const r = path && kinds.of(path);
    if (!r || r.virtual) return undefined;
    const subresource = path.subresource === undefined ? undefined : subresourceOf(r, path.subresource);
    return { registry, r, path, subresource, request };
  };
  const handle = async (request: ApiRequest): Promise<ApiReply> => {
    const { path } = request;
    const call = callOf(request);
    // Most requests read or write an object, and need no look at the extensions.
    if (call && (call.path.subresource === undefined || call.subresource?.strategy)) return handleKind(call);
    if (path === "/version" || path === "/version/") return replyLines(version);
    for (const extension of extensions) {
      const extended = await extension(request);
      if (extended) return extended;
    }
    const page = (await health(checks, request)) ?? discover(request) ?? (await documents(request));
    if (page) return page;
    if (!isClaimed(kinds.all(), path)) return notFoundPage;
    if (!call) throw nowhere();
    return handleKind(call);
  };
  return async (request) => {
    const reply = await handle(request).catch(replyError);
    return "stream" in reply ? reply : packed(encodeResponse(reply, request), request);
  };
}
