// Discovery: groups, versions and resources, derived from the served kinds, in the aggregated form
// (`apidiscovery.k8s.io/v2`) and the legacy one; and the index of paths.
import { createHash } from "node:crypto";
import { type ResourceDefinition, type Subresource, apiVersionOf } from "../../api/kinds.ts";
import { strategyOf, subresources } from "../registry/strategies/table.ts";
import { alternatives, negotiated } from "../response/render.ts";
import type { ApiResource } from "./api-resource.ts";
import { type MetricNames, metricResourceGroups, metricResources, noMetrics } from "./metrics.ts";
import { type ServedVersion, servedGroups } from "./order.ts";
import { type ApiReply, type ApiRequest, reply, replyLines } from "../request/request-response.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { methodNotServed } from "../registry/refusals.ts";

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const virtualVerbs = { measured: ["get", "list"], metric: ["get"], review: ["create"] };

/** The verbs of a kind. */
export function verbsOf(r: ResourceDefinition): readonly string[] {
  if (r.virtual) return virtualVerbs[r.virtual];
  return strategyOf(r).deletion.isSingle ? verbs.filter((verb) => verb !== "deletecollection") : verbs;
}

/** A subresource as discovery describes it: its verbs, and the kind of its bodies. */
export function describeSubresource(
  r: ResourceDefinition,
  name: Subresource,
): Pick<ApiResource, "group" | "version" | "kind" | "verbs"> {
  const { verbs: own, bodyKind, connects } = subresources[name];
  const isElsewhere = bodyKind !== undefined && apiVersionOf(bodyKind) !== apiVersionOf(r);
  return {
    ...(isElsewhere && { group: bodyKind.group, version: bodyKind.version }),
    kind: bodyKind?.kind ?? connects?.options(r) ?? r.kind,
    verbs: own,
  };
}

/** A hash of the stored kind and version, which storage migration compares. */
function storageVersionHash(r: ResourceDefinition): string {
  const { group, version, kind } = r.form?.of ?? r;
  return createHash("sha256").update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString("base64");
}

/** A kind, followed by its subresources in order of their names. */
export function resourcesOf(r: ResourceDefinition): readonly ApiResource[] {
  const namespaced = r.scope === "Namespaced";
  const own = {
    name: r.plural,
    singularName: r.singular,
    namespaced,
    kind: r.kind,
    verbs: verbsOf(r),
    ...(r.shortNames.length > 0 && { shortNames: r.shortNames }),
    ...(r.categories.length > 0 && { categories: r.categories }),
    ...(!r.virtual && { storageVersionHash: storageVersionHash(r) }),
  };
  const inside = r.subresources
    .toSorted()
    .map((name) => ({ name: `${r.plural}/${name}`, singularName: "", namespaced, ...describeSubresource(r, name) }));
  return [own, ...inside];
}

/** A document, and the tag that changes with it. */
export interface Tagged {
  readonly bytes: Buffer;
  readonly tag: string;
}

const mediaType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/**
 * Whether the client prefers the aggregated form. Its beta version is not served: clients that accept only that get the
 * legacy form.
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
export function aggregated(
  groups: readonly (readonly [string, readonly ServedVersion[]])[],
  names: MetricNames = noMetrics,
): Tagged {
  const groupsOf = (r: ResourceDefinition) =>
    r.virtual === "metric" ? metricResourceGroups(r, names) : [resourcesOf(r)];
  const items = groups.map(([name, versions]) => ({
    metadata: name === "" ? {} : { name },
    versions: versions.map(({ version, kinds }) => ({
      version,
      resources: kinds.flatMap(groupsOf).map(resource),
      freshness: "Current",
    })),
  }));
  const list = { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
  const bytes = Buffer.from(JSON.stringify(list));
  return { bytes, tag: createHash("sha512").update(bytes).digest("hex").toUpperCase() };
}

/** The document; 304 when the client has it. */
export function replyAggregated({ bytes, tag }: Tagged, request: ApiRequest): ApiReply {
  const etag = `"${tag}"`;
  const headers = { etag, vary: "Accept", "cache-control": "public" };
  if (request.headers["if-none-match"] === etag) return { status: 304, body: "", headers };
  return { status: 200, body: bytes, headers: { ...headers, "content-type": mediaType } };
}

/** What is at the root beside the groups. */
const otherPaths = [
  ...["/.well-known/openid-configuration", "/api", "/apis", "/apis/", "/metrics"],
  ...["/openapi/v2", "/openapi/v3", "/openapi/v3/", "/openid/v1/jwks", "/version"],
];

const rootOf = (group: string): string => (group === "" ? "/api" : `/apis/${group}`);

function groupOf(group: string, versions: readonly ServedVersion[]): object {
  const all = versions.map(({ version }) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions: all, preferredVersion: all[0] };
}

/** The core group's list has no apiVersion, as in Kubernetes. */
const resourceList = ({ group, version, kinds }: ServedVersion, names: MetricNames): object => ({
  kind: "APIResourceList",
  ...(group !== "" && { apiVersion: "v1" }),
  groupVersion: apiVersionOf({ group, version }),
  resources: kinds.flatMap((r) => (r.virtual === "metric" ? metricResources(r, names) : resourcesOf(r))),
});

function apiVersions({ headers }: ApiRequest): object {
  const serverAddress = String(headers[":authority"] ?? headers.host ?? "");
  const serverAddressByClientCIDRs = [{ clientCIDR: "0.0.0.0/0", serverAddress }];
  return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs };
}

/** Legacy discovery has one media type, without a fallback. */
function replyPlain(value: object, { headers }: ApiRequest): ApiReply {
  negotiated(headers.accept, ["Plain"]);
  return reply(value);
}

/** The documents of one set of kinds and metrics. The aggregated ones are built on first request. */
interface Documents {
  readonly answers: ReadonlyMap<string, (request: ApiRequest) => object>;
  aggregated(path: "/api" | "/apis"): Tagged;
  readonly index: object;
}

function documentsOf(kinds: readonly ResourceDefinition[], names: MetricNames, others: readonly string[]): Documents {
  const groups = servedGroups(kinds);
  const named = groups.filter(([group]) => group !== "");
  const core = groups.filter(([group]) => group === "");
  const made: Partial<Record<"/api" | "/apis", Tagged>> = {};
  const answers = new Map<string, (request: ApiRequest) => object>([
    ["/api", apiVersions],
    ["/apis", () => ({ kind: "APIGroupList", apiVersion: "v1", groups: named.map(([g, v]) => groupOf(g, v)) })],
    ...named.map(([g, v]) => [rootOf(g), () => ({ kind: "APIGroup", apiVersion: "v1", ...groupOf(g, v) })] as const),
    ...groups.flatMap(([g, versions]) =>
      versions.map((served) => [`${rootOf(g)}/${served.version}`, () => resourceList(served, names)] as const),
    ),
  ]);
  return {
    answers,
    aggregated(path) {
      made[path] ??= aggregated(path === "/api" ? core : named, names);
      return made[path];
    },
    index: { paths: [...new Set([...otherPaths, ...others, ...answers.keys()])].toSorted() },
  };
}

/**
 * Serves discovery's paths and the index at the root, which lists the paths of other handlers too; undefined for any
 * other path. Documents are rebuilt lazily after the set of kinds or of metrics has changed.
 */
export function discovery(
  kinds: Pick<KindRegistry, "all">,
  others: readonly string[] = [],
  metricNames: () => MetricNames = () => noMetrics,
): (request: ApiRequest) => ApiReply | undefined {
  let [source, names] = [kinds.all(), metricNames()];
  let documents = documentsOf(source, names, others);
  return (request) => {
    const path = request.path.length > 1 ? request.path.replace(/\/$/, "") : request.path;
    if (source !== kinds.all() || names !== metricNames()) {
      [source, names] = [kinds.all(), metricNames()];
      documents = documentsOf(source, names, others);
    }
    const document = documents.answers.get(path);
    if (!document && path !== "/" && path !== "/index.html") return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotServed();
    if (!document) return replyLines(documents.index);
    if ((path === "/api" || path === "/apis") && wantsAggregated(request.headers.accept))
      return replyAggregated(documents.aggregated(path), request);
    return replyPlain(document(request), request);
  };
}
