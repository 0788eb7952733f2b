// Subresources that are created: a binding assigns a pod to a node; an eviction (`policy/v1`) deletes it, unless its
// disruption budget allows no disruption.
import { ApiError } from "../../api/errors.ts";
import { pods } from "../../api/core/pods.ts";
import type { ApiObject, Draft } from "../../api/meta.ts";
import { evict } from "../registry/eviction.ts";
import { invalid, methodNotAllowed, methodNotServed } from "../registry/refusals.ts";
import type { Eviction } from "../../api/generated/types.ts";
import { type Binding, bindings } from "../../api/core/bindings.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { evictions, subresources } from "../registry/strategies/table.ts";
import { bodyOf, parseBody } from "../request/body.ts";
import { type Call, type ApiReply, targetOf, replySuccess } from "../request/request-response.ts";
import { deleteOptions } from "../request/options.ts";
import { warned } from "../response/encode.ts";

/** A body that is sent to one object names that object. */
function checkPath({ path }: Call, { metadata }: Draft<ApiObject>, { kind }: ResourceDefinition): void {
  if (metadata.name !== path.name)
    throw new ApiError("BadRequest", `name in URL does not match name in ${kind} object`);
}

export async function bindPod(call: Call): Promise<ApiReply> {
  const { object, options, warnings } = bodyOf(call, call.subresource!.bodyKind!);
  checkPath(call, object, call.subresource!.bodyKind!);
  const { metadata, target } = object as Draft<Binding>;
  const problems = bindings.validate(object as Draft<Binding>);
  if (problems.length > 0) throw invalid(bindings, call.path.name!, problems);
  const sent = { metadata, spec: { nodeName: target.name } } as unknown as ApiObject;
  await call.registry.change(targetOf(call), () => sent, options);
  return warned(replySuccess(undefined, 201), warnings);
}

/** `policy/v1beta1`, of before v1.22, is still read. */
function evictionKind(request: Call["request"]): ResourceDefinition {
  const { apiVersion } = (parseBody(request) ?? {}) as Partial<ApiObject>;
  return apiVersion === "policy/v1beta1" ? { ...evictions, version: "v1beta1" } : evictions;
}

export async function evictPod(call: Call): Promise<ApiReply> {
  const { registry, request } = call;
  const { object, options, warnings } = bodyOf(call, evictionKind(request));
  checkPath(call, object, evictions);
  const deletion = deleteOptions(request, (object as Draft<Eviction>).deleteOptions ?? {}).options;
  await registry.admit(targetOf(call), {
    ...{ operation: "CREATE", subresource: "eviction", object: object as ApiObject, options },
  });
  await evict(registry, targetOf(call), { ...deletion, dryRun: deletion.dryRun || options.dryRun === true });
  return warned(replySuccess(undefined, 201), warnings);
}

/** Serves `namespaces/{namespace}/bindings`: the same as the binding subresource of the pod it names. */
export async function createBinding(call: Call): Promise<ApiReply> {
  const { path, request } = call;
  if (path.namespace === undefined) throw methodNotServed();
  if (request.method !== "POST" || path.name !== undefined)
    throw methodNotAllowed(bindings, request.method.toLowerCase());
  const binding = parseBody(request) as Partial<ApiObject> | undefined;
  const name = binding?.metadata?.name;
  if (!name) throw new ApiError("BadRequest", "name is required");
  const problems = bindings.validate(binding as never);
  if (problems.length > 0) throw invalid(bindings, name, problems);
  return bindPod({
    ...call,
    r: pods as unknown as ResourceDefinition,
    path: { ...path, plural: pods.plural, name, subresource: "binding" },
    subresource: subresources.binding,
  });
}
