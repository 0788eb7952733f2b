// What a request to a kind means: one verb, on the collection, on one object, or on a part of one.
import { ApiError } from "../../api/errors.ts";
import { methodNotServed, nowhere } from "../registry/refusals.ts";
import { negotiated } from "../response/accept.ts";
import type { Call } from "../request/call.ts";
import type { ApiReply } from "../request/request-response.ts";
import { patchRequest } from "./patching.ts";
import { get, list, watchByPath } from "./reads.ts";
import { partRequest } from "./subresources.ts";
import { collectionDelete } from "./collection-delete.ts";
import { withDeprecationWarning } from "../response/warnings.ts";
import { create, remove, update } from "./writes.ts";

type Verbs = Readonly<Record<string, (call: Call) => Promise<ApiReply>>>;
const onCollection: Verbs = { GET: list, POST: create, DELETE: collectionDelete };
/** Objects of all namespaces can be looked at together, and no more. */
const onEverything: Verbs = { GET: list };
const onObject: Verbs = { GET: get, PUT: update, PATCH: patchRequest, DELETE: remove };
/** Parts that are read and written as the whole object, of which no more than they are taken. */
const onPart: Verbs = { GET: get, PUT: update, PATCH: patchRequest };
const wholeParts = ["status", "approval", "ephemeralcontainers", "resize"] as const;
const isWhole = ({ r, path: { subresource } }: Call): boolean =>
  wholeParts.some((part) => part === subresource && r.subresources.includes(part));

/** A name is one step of a path: what could be none cannot be the name of anything. */
function named(name = ""): void {
  const faults = [
    ...(name === "." || name === ".." ? [`may not be '${name}'`] : []),
    ...["/", "%"].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`),
  ];
  if (faults.length === 0) return;
  throw new ApiError("BadRequest", `Name parameter invalid: ${JSON.stringify(name)}: ${faults.join(";")}`);
}

function verbsAt(call: Call): Verbs {
  const { r, path } = call;
  const isHomeless = r.scope === "Namespaced" && path.namespace === undefined;
  if (path.name === undefined) return isHomeless ? onEverything : onCollection;
  if (isHomeless) throw nowhere();
  return isWhole(call) ? onPart : onObject;
}

/** Carry out a request to a kind. */
export async function callKind(call: Call): Promise<ApiReply> {
  const { path, request } = call;
  const verbs = path.watch ? { GET: watchByPath } : verbsAt(call);
  if (path.subresource !== undefined && !isWhole(call)) return partRequest(call, path.subresource);
  const verb = (verbs as Verbs)[request.method];
  if (!verb) throw methodNotServed();
  named(path.name);
  // What cannot be answered must not be done.
  negotiated(request.headers.accept);
  return withDeprecationWarning(call.r, verb(call));
}
