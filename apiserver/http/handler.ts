// From a request to its response: which handler serves its path, and for a kind its method on a collection, on one
// object, or on a subresource.
import { ApiError } from "../../api/errors.ts";
import { methodNotServed, nowhere } from "../registry/refusals.ts";
import { type ObjectVerb, strategyOf, subresourceOf } from "../registry/strategies/table.ts";
import { negotiated } from "../response/render.ts";
import {
  type Call,
  type Handler,
  type ApiReply,
  type ApiRequest,
  type Extension,
  type WholeReply,
  replyError,
  replyLines,
} from "../request/request-response.ts";
import { collectionDelete, create, remove, update } from "../verbs/writes.ts";
import { patchRequest } from "../verbs/patching.ts";
import { get, list, watchByPath } from "../verbs/reads.ts";
import { bindPod, createBinding, evictPod } from "../verbs/subresources.ts";
import { withDeprecationWarning, packed, encodeResponse } from "../response/encode.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { Registry } from "../registry/verbs.ts";
import type { MetricNames } from "../discovery/metrics.ts";
import { discovery } from "../discovery/discovery.ts";
import { type Checks, health, healthPaths, noChecks } from "./health.ts";
import { openApi } from "../openapi/openapi.ts";
import { admitConnection } from "./connect.ts";
import { isClaimed } from "../request/path.ts";
import { version } from "../discovery/version.ts";

type ByMethod = Readonly<Record<string, Handler>>;
const onCollection: ByMethod = { GET: list, POST: create, DELETE: collectionDelete };
const onUndeletableCollection: ByMethod = { GET: list, POST: create };
/** Objects of all namespaces are only listed together. */
const onAllNamespaces: ByMethod = { GET: list };
const onObject: ByMethod = { GET: get, PUT: update, PATCH: patchRequest, DELETE: remove };
const onWatchPath: ByMethod = { GET: watchByPath };

const verbs: Readonly<Record<string, ObjectVerb>> = { GET: "get", PUT: "update", PATCH: "patch", POST: "create" };

/**
 * Handlers of subresources that are more than a read or a write of the object, by name, and of kinds that are not
 * stored, by kind or by what they are.
 */
export type Handlers = Readonly<Record<string, Handler>>;
const ownHandlers: Handlers = { binding: bindPod, eviction: evictPod, Binding: createBinding };

/** A name is one step of a path: what could be none cannot be the name of anything. */
function checkPathSegment(name = ""): void {
  const faults = [
    ...(name === "." || name === ".." ? [`may not be '${name}'`] : []),
    ...["/", "%"].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`),
  ];
  if (faults.length === 0) return;
  throw new ApiError("BadRequest", `Name parameter invalid: ${JSON.stringify(name)}: ${faults.join(";")}`);
}

/** The handler of a request to a kind; undefined where the method is not served. */
function handlerOf({ r, path, subresource, request: { method } }: Call, special: Handlers): Handler | undefined {
  if (r.virtual) return special[r.kind] ?? special[r.virtual];
  if (!subresource && path.subresource !== undefined) throw nowhere();
  if (path.watch) return onWatchPath[method];
  const lacksNamespace = r.scope === "Namespaced" && path.namespace === undefined;
  if (path.name === undefined) {
    if (lacksNamespace) return onAllNamespaces[method];
    return (strategyOf(r).deletion.isSingle ? onUndeletableCollection : onCollection)[method];
  }
  if (lacksNamespace) throw nowhere();
  if (!subresource) return onObject[method];
  // A proxy passes on every method.
  if (path.subresource === "proxy") return special["proxy"];
  const verb = verbs[method];
  return verb && subresource.verbs.includes(verb) ? (special[path.subresource!] ?? onObject[method]) : undefined;
}

/** Handles a request to a kind. */
async function handleKind(call: Call, special: Handlers): Promise<ApiReply> {
  const { r, path, registry, request } = call;
  const handler = handlerOf(call, special);
  if (!handler) throw methodNotServed();
  checkPathSegment(path.name);
  // Negotiated before the verb is executed: a write whose response cannot be encoded must not be committed.
  if (!call.subresource?.connects) negotiated(request.headers.accept);
  else await admitConnection(registry, { ...request, place: path });
  return r.deprecated === undefined ? handler(call) : withDeprecationWarning(r, handler(call));
}

/** The reply to a path outside every served group, in plain text as Kubernetes gives it. */
const notFoundPage: WholeReply = {
  status: 404,
  body: "404 page not found\n",
  headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
};

/** What a server serves beside the objects in its registry. */
export interface Services {
  readonly handlers: Handlers;
  readonly extensions: readonly Extension[];
  readonly checks: Checks;
  /** The metrics of programs that discovery lists. */
  readonly metricNames?: () => MetricNames;
}

/** Handles every request; errors become replies. */
export function requestHandler(
  registry: Registry,
  kinds: KindRegistry,
  { handlers, extensions, checks, metricNames }: Services = { handlers: {}, extensions: [], checks: noChecks },
): (request: ApiRequest) => Promise<ApiReply> {
  const discover = discovery(kinds, healthPaths(checks), metricNames);
  const documents = openApi(kinds, () => registry.world.clock.now());
  const special = { ...ownHandlers, ...handlers };
  const handle = async (request: ApiRequest): Promise<ApiReply> => {
    const { path, place } = request;
    const r = place && kinds.of(place);
    if (r) {
      const subresource = place.subresource === undefined ? undefined : subresourceOf(r, place.subresource);
      return handleKind({ registry, r, path: place, subresource, request }, special);
    }
    if (path === "/version" || path === "/version/") return replyLines(version);
    for (const extension of extensions) {
      const extended = await extension(request);
      if (extended) return extended;
    }
    const page = (await health(checks, request)) ?? discover(request) ?? (await documents(request));
    if (page) return page;
    if (!isClaimed(kinds.all(), path)) return notFoundPage;
    throw nowhere();
  };
  return async (request) => {
    const reply = await handle(request).catch((e: unknown) => {
      if (!(e instanceof ApiError)) request.audit?.panics((e as Error).message);
      return replyError(e);
    });
    request.audit?.responds(reply);
    return "stream" in reply ? reply : packed(encodeResponse(reply, request), request);
  };
}
