// Aggregated discovery (`apidiscovery.k8s.io/v2`): all groups in one document, with an ETag.
import { createHash } from "node:crypto";
import { alternatives } from "../response/render.ts";
import type { ServedVersion } from "./order.ts";
import { type ApiResource, resourcesOf } from "./resources.ts";
import type { ApiReply, ApiRequest } from "../request/request-response.ts";

/** A document, and the tag that changes with it. */
export interface Tagged {
  readonly bytes: Buffer;
  readonly tag: string;
}

const mediaType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/**
 * Whether the client prefers this form to the old one. Its beta version is no longer served: who knows only that gets
 * the old form.
 */
export function wantsAggregated(accept: string | undefined): boolean {
  for (const { type, parameters } of alternatives(accept)) {
    const { as, g, v } = parameters;
    if (!["application/json", "application/*", "*/*"].includes(type)) continue;
    if (as === undefined) return false;
    if (as === "APIGroupDiscoveryList" && g === "apidiscovery.k8s.io" && v === "v2") return true;
  }
  return false;
}

const responseKind = ({ group = "", version = "", kind }: ApiResource): object => ({ group, version, kind });

function resource([own, ...inside]: readonly ApiResource[]): object {
  const { name, namespaced, singularName, verbs, shortNames, categories } = own!;
  const subresources = inside.map((one) => ({
    subresource: one.name.slice(name.length + 1),
    responseKind: responseKind(one),
    verbs: one.verbs,
  }));
  return {
    resource: name,
    responseKind: responseKind(own!),
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singularName,
    verbs,
    ...(shortNames && { shortNames }),
    ...(categories && { categories }),
    ...(subresources.length > 0 && { subresources }),
  };
}

/** The document of some groups, in their order. */
export function aggregated(groups: readonly (readonly [string, readonly ServedVersion[]])[]): Tagged {
  const items = groups.map(([name, versions]) => ({
    metadata: name === "" ? {} : { name },
    versions: versions.map(({ version, kinds }) => ({
      version,
      resources: kinds.map((r) => resource(resourcesOf(r))),
      freshness: "Current",
    })),
  }));
  const list = { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
  const bytes = Buffer.from(JSON.stringify(list));
  return { bytes, tag: createHash("sha512").update(bytes).digest("hex").toUpperCase() };
}

/** The document, or word that the client has it already. */
export function replyAggregated({ bytes, tag }: Tagged, request: ApiRequest): ApiReply {
  const etag = `"${tag}"`;
  const headers = { etag, vary: "Accept", "cache-control": "public" };
  if (request.headers["if-none-match"] === etag) return { status: 304, body: "", headers };
  return { status: 200, body: bytes, headers: { ...headers, "content-type": mediaType } };
}
