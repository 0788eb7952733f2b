// The verbs that write a whole object: create, update and delete one.
import { ApiError } from "../../api/errors.ts";
import { type ApiObject, type Draft, key } from "../../api/meta.ts";
import type { WritableSubresource } from "../../machinery/client.ts";
import { objectOf } from "../registry/codec.ts";
import { withDistinctOwners } from "../registry/metadata.ts";
import { put } from "../registry/putting.ts";
import { methodNotServed } from "../registry/refusals.ts";
import { inNamespace, objectIn } from "../request/body.ts";
import type { Call } from "../request/call.ts";
import { deleteOptions } from "../request/delete-options.ts";
import { type ApiReply, replySuccess } from "../request/request-response.ts";
import { replyObject, type View, viewOf } from "../response/render.ts";
import { warned } from "../response/warnings.ts";
import { type WriteQuery, writeQuery } from "../request/write-options.ts";

/** What was sent to be written and how it is meant; `heard` is filled with what its sender should know. */
interface Sent extends Pick<WriteQuery, "options"> {
  readonly object: Draft<ApiObject>;
  readonly view: View;
  readonly heard: ReadonlySet<string>;
}
function sent({ registry, r, path, request }: Call): Sent {
  const view = viewOf(request, registry.world.clock.now());
  const heard = new Set<string>();
  const warn = (sentence: string): void => void heard.add(sentence);
  const { options, validation } = writeQuery(request, warn);
  const read = objectIn(request, r, { kinds: registry.kinds, validation, warn });
  const object = withDistinctOwners(inNamespace(r, read, path.namespace), warn);
  return { object, options: { ...options, read }, view, heard };
}

/** Bring an object into being. */
export async function create(call: Call): Promise<ApiReply> {
  const { registry, r, path } = call;
  if (r.scope === "Namespaced" && path.namespace === undefined) throw methodNotServed();
  const { object, options, view, heard } = sent(call);
  const stored = await registry.create(r, object, options);
  return warned(replyObject(r, stored, view, 201), heard);
}

/** Put an object, or a part of it, in the place of what stands there. */
export async function update(call: Call): Promise<ApiReply> {
  const { registry, r, path } = call;
  const { object, options, view, heard } = sent(call);
  const { name = "" } = object.metadata;
  checkName(name, path.name!);
  const part = path.subresource as WritableSubresource | undefined;
  const target = { r, key: key(path.namespace, name) };
  const { stored, created } = await put(registry, target, { object, ...(part && { part }) }, options);
  return warned(replyObject(r, stored, view, created ? 201 : 200), heard);
}

/** An object says of itself what its path says of it. */
export function checkName(name: string, inPath: string): void {
  if (name === "")
    throw new ApiError(
      "BadRequest",
      `the name of the object (${inPath} based on URL) was undeterminable: name must be provided`,
    );
  if (name !== inPath)
    throw new ApiError("BadRequest", `the name of the object (${name}) does not match the name on the URL (${inPath})`);
}

/** Kinds of which a deletion shows the last state; of the others it only says that they are gone. */
const shownWhenGone = new Set(
  "pods podtemplates services serviceaccounts resourcequotas persistentvolumes persistentvolumeclaims namespaces".split(
    " ",
  ),
);

/** Delete an object, or mark it for deletion. */
export async function remove({ registry, r, path, request }: Call): Promise<ApiReply> {
  const view = viewOf(request, registry.world.clock.now());
  const target = { r, key: key(path.namespace, path.name!) };
  const { options, waitsForDependents } = deleteOptions(request);
  const { stored, gone, revision } = await registry.delete(target, { ...options, done: request.done });
  const { name, uid } = objectOf(stored).metadata;
  const isShown = !gone || (r.group === "" && shownWhenGone.has(r.plural));
  const whole = isShown
    ? replyObject(r, stored, view, !gone && waitsForDependents ? 202 : 200)
    : replySuccess({ name, ...(r.group !== "" && { group: r.group }), kind: r.plural, uid });
  return { ...whole, headers: { ...whole.headers, "orrery-revision": String(revision) } };
}
