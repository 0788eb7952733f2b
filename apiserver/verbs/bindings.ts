// A binding may also be told to the collection of bindings: it is then about the pod that bears its name.
import { ApiError } from "../../api/errors.ts";
import { bindings } from "../../api/core/bindings.ts";
import { pods } from "../../api/core/pods.ts";
import type { ApiObject } from "../../api/meta.ts";
import { invalid, methodNotAllowed } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import { parseBody } from "../request/body.ts";
import type { Extension } from "../request/request-response.ts";
import { partRequest } from "./subresources.ts";

/** Serves `namespaces/{namespace}/bindings`, where pods are bound and nothing is kept. */
export function podBindings(registry: Registry): Extension {
  return async (request) => {
    const path = request.place;
    if (path?.group !== "" || path.plural !== bindings.plural || path.namespace === undefined) return undefined;
    if (request.method !== "POST" || path.name !== undefined)
      throw methodNotAllowed(bindings, request.method.toLowerCase());
    const binding = parseBody(request) as Partial<ApiObject> | undefined;
    const name = binding?.metadata?.name;
    if (!name) throw new ApiError("BadRequest", "name is required");
    const problems = bindings.validate(binding as never);
    if (problems.length > 0) throw invalid(bindings, name, problems);
    return partRequest(
      { registry, r: pods, path: { ...path, plural: pods.plural, name, subresource: "binding" }, request },
      "binding",
    );
  };
}
