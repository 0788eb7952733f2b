// Which objects of a kind are not as desired, and why: the list of `orrery why` without a name.
import { pods } from "../../api/core/pods.ts";
import { ApiError } from "../../api/errors.ts";
import { type ExplanationList, explanationVersion } from "../../api/explanation/explanation.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, controllerOf } from "../../api/meta.ts";
import { referenceTo, rootsFirst } from "./finding.ts";
import { most, type Reader } from "./reader.ts";
import { everyNamespace, inNamespace } from "./relations.ts";
import { ruleOf } from "./rules.ts";

interface Suspects {
  readonly items: readonly ApiObject[];
  readonly count: number;
}

/**
 * Objects that are not as desired by their own status, without those of a controller, whose explanation has them. Pods
 * are found by an index; other kinds are looked through, in one namespace or in all.
 */
async function suspectsOf(r: ResourceDefinition, namespace: string | undefined, reader: Reader): Promise<Suspects> {
  const rule = ruleOf(r);
  if (!rule?.isAsDesired) throw new ApiError("BadRequest", `${r.plural} are explained one by one: name one`);
  if (r.kind === pods.kind)
    return reader.related(pods, "undesired", namespace === undefined ? everyNamespace : inNamespace(namespace));
  const all = await reader.list(r, namespace);
  const items = all === "hidden" ? [] : all.filter((o) => !controllerOf(o) && !rule.isAsDesired!(o));
  return { items: items.slice(0, most), count: items.length };
}

export async function undesired(
  r: ResourceDefinition,
  namespace: string | undefined,
  reader: Reader,
): Promise<ExplanationList> {
  const { items, count } = await suspectsOf(r, namespace, reader);
  const found = await Promise.all(items.map(async (object) => ({ object, finding: await reader.find(object) })));
  const remaining = count - items.length;
  return {
    ...{ kind: "ExplanationList", apiVersion: explanationVersion },
    items: found
      .filter(({ finding }) => finding.state !== "AsDesired")
      .map(({ object, finding: { state, message, causes } }) => ({
        object: referenceTo(object),
        summary: { state, message },
        causes: rootsFirst(causes),
      })),
    ...(remaining > 0 && { remaining }),
  };
}
