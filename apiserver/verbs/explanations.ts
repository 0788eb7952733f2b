// Explanations of objects: GET of /explain followed by the path of an object, for those who may read the object. They
// come from components of this process, or of the control plane that leads.
import { request as httpsRequest } from "node:https";
import type { IncomingMessage } from "node:http";
import { leases } from "../../api/coordination/leases.ts";
import { pods } from "../../api/core/pods.ts";
import { ApiError, ifFound } from "../../api/errors.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, key } from "../../api/meta.ts";
import type { Lease } from "../../api/coordination/leases.ts";
import type { Explanations } from "../../machinery/explanations.ts";
import { type KubeletTls, limitWait, textOf } from "../kubelets/kubelets.ts";
import { objectOf } from "../registry/codec.ts";
import { methodNotServed, nowhere } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import { explainedPath, resourcePath } from "../request/path.ts";
import { type ApiReply, type ApiRequest, type Extension, reply, replyBytes } from "../request/request-response.ts";

/** What explains a kind: the part of the explanation, and the lease of the component that makes it. */
const parts: readonly { readonly kind: ResourceDefinition; readonly part: string; readonly lease: string }[] = [
  { kind: pods, part: "scheduling", lease: "kube-scheduler" },
];

/** Keeps requests from being sent on and on. */
const forwardedHeader = "orrery-forwarded";
const answerWithinMs = 5_000;

/** The same request to the API server beside which the holder of a lease runs. */
async function forwarded(
  lease: string,
  { path, headers }: ApiRequest,
  registry: Registry,
  tls: KubeletTls,
): Promise<ApiReply> {
  const stored = await ifFound(registry.get(leases, key("kube-system", lease)));
  const holder = stored && objectOf<Lease>(stored).spec.holderIdentity;
  const [, host, port] = /_([^_]+):(\d+)$/.exec(holder ?? "") ?? [];
  if (host === undefined || headers[forwardedHeader] !== undefined)
    throw new ApiError("ServiceUnavailable", `no ${lease} is running that could explain this`);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const upstream = httpsRequest(
      { host, port, path, ...tls, agent: false, headers: { [forwardedHeader]: "1" } },
      resolve,
    );
    upstream.on("error", (e) => reject(new ApiError("ServiceUnavailable", `${lease} cannot be reached: ${e.message}`)));
    limitWait(upstream, registry.world.clock, answerWithinMs);
    upstream.end();
  });
  return replyBytes(await textOf(response), response.statusCode);
}

const referenceTo = ({ apiVersion, kind, metadata }: ApiObject): object => {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion, kind, ...(namespace !== undefined && { namespace }), name, uid, resourceVersion };
};

/** Serves the explanations. `tls` is the client certificate for other API servers. */
export function explanationsApi(
  registry: Registry,
  explanations: Explanations | undefined,
  tls: KubeletTls,
): Extension {
  return async (request) => {
    const path = explainedPath(request.path);
    if (path === undefined) return undefined;
    if (request.method !== "GET") throw methodNotServed();
    const place = resourcePath(path);
    const r = place && registry.kinds.of(place);
    if (!r) throw nowhere();
    if (place.name === undefined || place.subresource !== undefined || place.watch)
      throw new ApiError(
        "BadRequest",
        "only single objects are explained: the path is /explain and that of the object",
      );
    if ((r.scope === "Namespaced") !== (place.namespace !== undefined)) throw nowhere();
    const object = objectOf(await registry.get(r, key(place.namespace, place.name)));
    const source = parts.find(({ kind }) => kind === r);
    if (!source)
      throw new ApiError("BadRequest", `${r.plural} are not explained, only ${parts.map(({ kind }) => kind.plural)}`);
    const explain = explanations?.of(r);
    if (!explain) return forwarded(source.lease, request, registry, tls);
    const explanation = { kind: "Explanation", apiVersion: "orrery.dev/v1", object: referenceTo(object) };
    return reply({ ...explanation, [source.part]: explain(object) });
  };
}
