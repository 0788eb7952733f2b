// Patches objects without a server, as the server would.
import { apiVersionOf } from "../../api/kinds.ts";
import { builtinKinds } from "../../api/builtin/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { jsonPatched, mergePatched } from "../../apiserver/registry/patch/patch.ts";
import { strategicPatched } from "../../apiserver/registry/patch/strategic.ts";
import { CliError } from "../cli-error.ts";

export type PatchType = "json" | "merge" | "strategic";

/** The object after a patch. Throws ApiError for a patch that does not apply. */
export function patchedLocally(
  object: Pick<ApiObject, "apiVersion" | "kind">,
  type: PatchType,
  patch: unknown,
): unknown {
  if (type === "merge") return mergePatched(object, patch);
  if (type === "json") return jsonPatched(object, Array.isArray(patch) ? patch : [patch]);
  const definition = builtinKinds.find((k) => k.kind === object.kind && apiVersionOf(k) === object.apiVersion);
  if (!definition)
    throw new CliError(
      `unable to find an object of the kind ${object.kind} in ${object.apiVersion}`,
      "A strategic patch needs a built-in kind: use --type=merge.",
    );
  return strategicPatched(definition.schema, object, patch);
}
