// The verbs that write: create, update and delete an object or a collection, and update a subresource.
import { hasReason, ApiError } from "../../api/errors.ts";
import { keyOf } from "../../api/meta.ts";
import { objectOf } from "../registry/codec.ts";
import { type ApiReply, type Call, targetOf, replySuccess } from "../request/request-response.ts";
import { listQuery, momentOf, deleteOptions } from "../request/options.ts";
import { replyList, viewOf, replyObject, replyStored } from "../response/render.ts";
import { withDistinctOwners } from "../registry/prepare.ts";
import { put } from "../registry/patching.ts";
import { methodNotServed } from "../registry/refusals.ts";
import { strategyOf } from "../registry/strategies/table.ts";
import { type Body, bodyOf, inNamespace } from "../request/body.ts";
import { warned } from "../response/encode.ts";

/** Deletes the objects of a selection one by one; a missing one is no error. */
export async function collectionDelete({ registry, r, path, request }: Call): Promise<ApiReply> {
  const { options } = deleteOptions(request);
  const { user, trace } = request;
  const selected = listQuery(request.query, path.namespace);
  const page = await registry.list(r, { ...selected, ...momentOf(selected) });
  for (const stored of page.entries) {
    try {
      await registry.delete({ r, key: keyOf(objectOf(stored)) }, { ...options, user, trace });
    } catch (e) {
      if (!hasReason(e, "NotFound")) throw e;
    }
  }
  return replyList(r, page, viewOf(request, registry.world.clock.now()));
}

/** The body of a write of the object itself, in the namespace of the path. */
function objectBody(call: Call): Body {
  const { object: read, options, warnings } = bodyOf(call, call.r);
  const object = withDistinctOwners(inNamespace(call.r, read, call.path.namespace), options.warn!);
  return { object, options: { ...options, read }, warnings };
}

/** Creates an object. */
export async function create(call: Call): Promise<ApiReply> {
  const { registry, r, path, request } = call;
  if (r.scope === "Namespaced" && path.namespace === undefined) throw methodNotServed();
  const view = viewOf(request, registry.world.clock.now());
  const { object, options, warnings } = objectBody(call);
  const stored = await registry.create(r, object, options);
  return warned(replyObject(r, stored, view, 201), warnings);
}

/** Updates an object, or a subresource through a body of its own kind. */
export async function update(call: Call): Promise<ApiReply> {
  const { registry, subresource, path, request } = call;
  const view = viewOf(request, registry.world.clock.now());
  const { object, options, warnings } = subresource?.bodyKind ? bodyOf(call, subresource.bodyKind) : objectBody(call);
  checkName(object.metadata.name ?? "", path.name!);
  const { stored, created } = await put(registry, targetOf(call), object, options);
  return warned(replyStored(call, stored, view, created ? 201 : 200), warnings);
}

/** The name in the body and the name in the path are the same. */
function checkName(name: string, inPath: string): void {
  if (name === "")
    throw new ApiError(
      "BadRequest",
      `the name of the object (${inPath} based on URL) was undeterminable: name must be provided`,
    );
  if (name !== inPath)
    throw new ApiError("BadRequest", `the name of the object (${name}) does not match the name on the URL (${inPath})`);
}

/** Deletes an object, or marks it for deletion. */
export async function remove(call: Call): Promise<ApiReply> {
  const { registry, r, request } = call;
  const view = viewOf(request, registry.world.clock.now());
  const { options, waitsForDependents } = deleteOptions(request);
  const { user, trace } = request;
  const { stored, gone, revision } = await registry.delete(targetOf(call), { ...options, user, trace });
  const { name, uid } = objectOf(stored).metadata;
  const isShown = !gone || strategyOf(r).deletion.returnsObject;
  const reply = isShown
    ? replyObject(r, stored, view, !gone && waitsForDependents ? 202 : 200)
    : replySuccess({ name, ...(r.group !== "" && { group: r.group }), kind: r.plural, uid });
  return { ...reply, headers: { ...reply.headers, "orrery-revision": String(revision) } };
}
