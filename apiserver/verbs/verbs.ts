// Which handler serves a request to a kind: by its method, on a collection, on one object, or on a subresource.
import { ApiError } from "../../api/errors.ts";
import { methodNotServed, nowhere } from "../registry/refusals.ts";
import { strategyOf } from "../registry/strategies/table.ts";
import { type ObjectVerb, type SubresourceDefinition, subresourceOf } from "../registry/subresources.ts";
import { negotiated } from "../response/accept.ts";
import type { Call } from "../request/call.ts";
import type { ApiReply } from "../request/request-response.ts";
import { collectionDelete } from "./collection-delete.ts";
import { patchRequest } from "./patching.ts";
import { get, list, watchByPath } from "./reads.ts";
import { bindPod, evictPod } from "./subresources.ts";
import { withDeprecationWarning } from "../response/warnings.ts";
import { create, remove, update } from "./writes.ts";

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
export async function callKind(call: Call): Promise<ApiReply> {
  const { r, path, request } = call;
  const subresource = path.subresource === undefined ? undefined : subresourceOf(r, path.subresource);
  if (!subresource && path.subresource !== undefined) throw nowhere();
  const handlers = handlersAt(call);
  const handler = subresource ? subresourceHandler(call, subresource) : handlers[request.method];
  if (!handler) throw methodNotServed();
  checkPathSegment(path.name);
  // Negotiated before the verb is carried out: a write whose reply cannot be given must not happen.
  negotiated(request.headers.accept);
  return withDeprecationWarning(r, handler(subresource ? { ...call, subresource } : call));
}
