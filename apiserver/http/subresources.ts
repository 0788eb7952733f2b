// The parts of an object that have a path of their own: scale, binding, eviction, and what a namespace waits for.
import { ApiError } from "../../api/errors.ts";
import { type ApiObject, key } from "../../api/meta.ts";
import { objectOf } from "../registry/codec.ts";
import { changeOf, scaleOf } from "../registry/parts.ts";
import { patched } from "../registry/patching.ts";
import { methodNotServed } from "../registry/refusals.ts";
import { parseBody } from "./body.ts";
import { type ApiReply, reply, replySuccess } from "./exchange.ts";
import { patchIn, patchTypeOf } from "./patching.ts";
import { deleteOptions } from "./delete-options.ts";
import { evict } from "./eviction.ts";
import { writeQuery } from "./write-options.ts";
import type { Call } from "./call.ts";

const objectInBody = (call: Call): ApiObject => {
  const body = parseBody(call.request);
  if (typeof body !== "object" || body === null) throw new ApiError("BadRequest", "the request body must be an object");
  return body as ApiObject;
};
const targetOf = ({ r, path }: Call): { r: Call["r"]; key: ReturnType<typeof key> } => ({
  r,
  key: key(path.namespace, path.name!),
});

async function scale(call: Call): Promise<ApiReply> {
  const { registry, r, request } = call;
  const target = targetOf(call);
  const now = registry.world.clock.now();
  const show = (object: ApiObject): ApiReply => reply(scaleOf(object));
  if (request.method === "GET") return show(objectOf(await registry.get(r, target.key)));
  if (request.method === "PATCH") {
    const query = writeQuery(request, () => {}, patchTypeOf(request));
    const { patch } = patchIn(request, query);
    const { stored } = await patched(registry, target, { patch, part: "scale" }, query.options);
    return show(objectOf(stored));
  }
  if (request.method !== "PUT") throw methodNotServed();
  const given = objectInBody(call) as ApiObject & { readonly spec?: { readonly replicas?: unknown } };
  const replicas = given.spec?.replicas ?? 0;
  if (!Number.isInteger(replicas)) throw new ApiError("BadRequest", "spec.replicas of a Scale must be a whole number");
  const { decide, ...part } = changeOf(r, () => ({ ...given, metadata: { ...given.metadata } }), "scale", now);
  return show(objectOf(await registry.change({ ...target, ...part }, decide, writeQuery(request, () => {}).options)));
}

async function binding(call: Call): Promise<ApiReply> {
  const { registry, r, request } = call;
  if (request.method !== "POST") throw methodNotServed();
  const { metadata, target } = objectInBody(call) as ApiObject & { readonly target?: { readonly name?: string } };
  const wanted = { metadata: { ...metadata }, spec: { nodeName: target?.name } } as unknown as ApiObject;
  const { decide, ...part } = changeOf(r, () => wanted, "binding", registry.world.clock.now());
  await registry.change({ ...targetOf(call), ...part }, decide, writeQuery(request, () => {}).options);
  return replySuccess(undefined, 201);
}

/** A deletion that may be refused. */
async function eviction(call: Call): Promise<ApiReply> {
  const { registry, request, path } = call;
  if (request.method !== "POST") throw methodNotServed();
  const query = writeQuery(request, () => {});
  const body = objectInBody(call) as ApiObject & { readonly deleteOptions?: unknown };
  if (body.metadata?.name !== path.name)
    throw new ApiError("BadRequest", "name in URL does not match name in Eviction object");
  const { options } = deleteOptions(request, body.deleteOptions ?? {});
  await evict(registry, targetOf(call), { ...options, dryRun: options.dryRun || query.options.dryRun === true });
  return replySuccess(undefined, 201);
}

/** What a namespace still waits for, told by whoever has emptied it. */
async function finalize(call: Call): Promise<ApiReply> {
  const { registry, r, request } = call;
  if (request.method !== "PUT") throw methodNotServed();
  const given = objectInBody(call);
  const { decide, ...part } = changeOf(r, () => given, "finalize", registry.world.clock.now());
  return reply(
    objectOf(await registry.change({ ...targetOf(call), ...part }, decide, writeQuery(request, () => {}).options)),
  );
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
