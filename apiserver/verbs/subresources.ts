// The parts of an object that have a path of their own: scale, binding, eviction, and what a namespace waits for.
import { ApiError } from "../../api/errors.ts";
import type { Eviction } from "../../api/generated/types.ts";
import { type Binding, bindings } from "../../api/core/bindings.ts";
import { define, type ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, key } from "../../api/meta.ts";
import { schemaOf } from "../../api/schema.ts";
import { objectOf } from "../registry/codec.ts";
import { changeOf, scaleKind, scaleOf } from "../registry/subresources.ts";
import { patched } from "../registry/patching.ts";
import { invalid, methodNotServed } from "../registry/refusals.ts";
import { objectIn, parseBody } from "../request/body.ts";
import type { Call } from "../request/call.ts";
import { deleteOptions } from "../request/delete-options.ts";
import { evict } from "./eviction.ts";
import { type ApiReply, reply, replySuccess, type WholeReply } from "../request/request-response.ts";
import { inspecting, patchIn, patchTypeOf } from "./patching.ts";
import { warned } from "../response/warnings.ts";
import { type WriteQuery, writeQuery } from "../request/write-options.ts";
import { checkName } from "./writes.ts";

/** An eviction as a kind of its own, which is read and checked like any other. */
const evictions: ResourceDefinition = define({
  group: "policy",
  version: "v1",
  kind: "Eviction",
  plural: "evictions",
  scope: "Namespaced",
  published: "io.k8s.api.policy.v1.Eviction",
  schema: schemaOf("io.k8s.api.policy.v1.Eviction"),
});

/** The kind of before v1.22 is read to this day, as far as evictions go. */
function evictionKind(request: Call["request"]): ResourceDefinition {
  const { apiVersion } = (parseBody(request) ?? {}) as Partial<ApiObject>;
  return apiVersion === "policy/v1beta1" ? { ...evictions, version: "v1beta1" } : evictions;
}

/** What was sent to be written, how it is meant, and what its sender should know. */
interface SentPart extends Pick<WriteQuery, "options"> {
  readonly object: Draft<ApiObject>;
  readonly heard: ReadonlySet<string>;
}
/** The body of a request to a part, as the kind it has reads it. */
function sent({ registry: { kinds }, request }: Call, kind: ResourceDefinition): SentPart {
  const heard = new Set<string>();
  const warn = (sentence: string): void => void heard.add(sentence);
  const { options, validation } = writeQuery(request, warn);
  return { object: objectIn(request, kind, { kinds, validation, warn }), options, heard };
}
/** A body that is sent to one object is about that object. */
function checkPath({ path }: Call, { metadata }: Draft<ApiObject>, kind: ResourceDefinition): void {
  if (metadata.name !== path.name)
    throw new ApiError("BadRequest", `name in URL does not match name in ${kind.kind} object`);
}
const targetOf = ({ r, path }: Call): { r: Call["r"]; key: ReturnType<typeof key> } => ({
  r,
  key: key(path.namespace, path.name!),
});

async function scale(call: Call): Promise<ApiReply> {
  const { registry, r, request } = call;
  const target = targetOf(call);
  const now = registry.world.clock.now();
  const show = (object: ApiObject): WholeReply => reply(scaleOf(object));
  if (request.method === "GET") return show(objectOf(await registry.get(r, target.key)));
  if (request.method === "PATCH") {
    const heard = new Set<string>();
    const warn = (sentence: string): void => void heard.add(sentence);
    const query = writeQuery(request, warn, patchTypeOf(request));
    const sentPatch = patchIn(request, query);
    const how = { ...query.options, inspect: inspecting(scaleKind, sentPatch, query, warn) };
    const { stored } = await patched(registry, target, { patch: sentPatch.patch, part: "scale" }, how);
    return warned(show(objectOf(stored)), heard);
  }
  if (request.method !== "PUT") throw methodNotServed();
  const { object, options, heard } = sent(call, scaleKind);
  checkName(object.metadata.name ?? "", call.path.name!);
  const { decide, ...part } = changeOf(r, () => object as ApiObject, "scale", now);
  return warned(show(objectOf(await registry.change({ ...target, ...part }, decide, options))), heard);
}

async function binding(call: Call): Promise<ApiReply> {
  const { registry, r, request } = call;
  if (request.method !== "POST") throw methodNotServed();
  const { object, options, heard } = sent(call, bindings);
  checkPath(call, object, bindings);
  const problems = bindings.validate(object as Draft<Binding>);
  if (problems.length > 0) throw invalid(bindings, call.path.name!, problems);
  const { metadata, target } = object as Draft<Binding>;
  const wanted = { metadata, spec: { nodeName: target.name } } as unknown as ApiObject;
  const { decide, ...part } = changeOf(r, () => wanted, "binding", registry.world.clock.now());
  await registry.change({ ...targetOf(call), ...part }, decide, options);
  return warned(replySuccess(undefined, 201), heard);
}

/** A deletion that may be refused. */
async function eviction(call: Call): Promise<ApiReply> {
  const { registry, request } = call;
  if (request.method !== "POST") throw methodNotServed();
  const { object, options, heard } = sent(call, evictionKind(request));
  checkPath(call, object, evictions);
  const asked = deleteOptions(request, (object as Draft<Eviction>).deleteOptions ?? {}).options;
  await evict(registry, targetOf(call), { ...asked, dryRun: asked.dryRun || options.dryRun === true });
  return warned(replySuccess(undefined, 201), heard);
}

/** What a namespace still waits for, told by whoever has emptied it. */
async function finalize(call: Call): Promise<ApiReply> {
  const { registry, r, request } = call;
  if (request.method !== "PUT") throw methodNotServed();
  const { object, options, heard } = sent(call, r);
  checkName(object.metadata.name ?? "", call.path.name!);
  const { decide, ...part } = changeOf(r, () => object as ApiObject, "finalize", registry.world.clock.now());
  return warned(reply(objectOf(await registry.change({ ...targetOf(call), ...part }, decide, options))), heard);
}

/** Carry out a request to a part of an object that has a shape of its own. */
export async function partRequest(call: Call, part: string): Promise<ApiReply> {
  const { r } = call;
  const served = r.subresources as readonly string[];
  if (part === "scale" && served.includes("scale")) return scale(call);
  if (part === "binding" && served.includes("binding")) return binding(call);
  if (part === "eviction" && served.includes("eviction")) return eviction(call);
  if (part === "finalize" && served.includes("finalize")) return finalize(call);
  throw new ApiError("NotFound", "the server could not find the requested resource");
}
