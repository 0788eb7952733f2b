// GET of /explain followed by the path of an object, for those who may read it: why it is as it is. Followed by the
// path of a collection, for those who may list it: which of its objects are not as desired.
import { ApiError } from "../../api/errors.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { key } from "../../api/meta.ts";
import type { Explanations } from "../../machinery/explanations.ts";
import { objectOf } from "../registry/codec.ts";
import { methodNotServed, nowhere } from "../registry/refusals.ts";
import { explainedPath, type ResourcePath, resourcePath } from "../request/path.ts";
import { type ApiReply, type ApiRequest, type Extension, reply } from "../request/request-response.ts";
import { type ExplainPorts, explainer } from "./explainer.ts";
import { requestsToLeaders } from "../proxy/leader.ts";
import { isPartName, leadersOf, partParameter } from "./leader.ts";
import { objectRelations, type Relations } from "./relations.ts";
import { undesired } from "./undesired.ts";

/** What a path explains. The kind is the stored one, also where the path names another version of it. */
function placeOf(
  path: string,
  { registry }: ExplainPorts,
): { readonly r: ResourceDefinition; readonly place: ResourcePath } {
  const place = resourcePath(path);
  const named = place && registry.kinds.of(place);
  if (!named) throw nowhere();
  const r = named.form?.of ?? named;
  if (place.subresource !== undefined || place.watch)
    throw new ApiError("BadRequest", "only objects and collections are explained: the path is /explain and theirs");
  if (r.virtual) throw new ApiError("BadRequest", `${r.plural} are not stored, so there is nothing to explain`);
  const isPlain = place.name === undefined || (r.scope === "Namespaced") === (place.namespace !== undefined);
  if (!isPlain || (r.scope === "Cluster" && place.namespace !== undefined)) throw nowhere();
  return { r, place };
}

export interface ExplanationsApi extends Pick<Relations, "follow"> {
  readonly serve: Extension;
}

/** Serves explanations. `explanations` has what components of this process explain. */
export function explanationsApi(
  parts: Omit<ExplainPorts, "relations">,
  explanations: Explanations | undefined,
): ExplanationsApi {
  const relations = objectRelations();
  const ports = { ...parts, relations };
  const leaders = leadersOf(requestsToLeaders(ports.registry, ports.kubelets.tls), explanations);
  const { explain, partOf, readerOf } = explainer(ports, leaders);
  const serve = async (request: ApiRequest): Promise<ApiReply | undefined> => {
    const path = explainedPath(request.path);
    if (path === undefined) return undefined;
    if (request.method !== "GET") throw methodNotServed();
    const { r, place } = placeOf(path, ports);
    if (place.name === undefined) return reply(await undesired(r, place.namespace, readerOf(request)));
    const object = objectOf(await ports.registry.get(r, key(place.namespace, place.name)));
    const part = request.query.get(partParameter);
    if (part === null) return reply(await explain(object, request));
    if (!isPartName(part)) throw new ApiError("BadRequest", `${JSON.stringify(part)} is no part of an explanation`);
    return reply({ [part]: await partOf(part, object, request) });
  };
  return { serve, follow: relations.follow };
}
