// Legacy discovery and the index of paths: groups, versions and resources, derived from the served kinds.
import { type ResourceDefinition, apiVersionOf } from "../../api/kinds.ts";
import { type KindRegistry, derivedFrom } from "../../machinery/kind-registry.ts";
import { methodNotServed } from "../registry/refusals.ts";
import { negotiated } from "../response/render.ts";
import { type Tagged, aggregated, replyAggregated, wantsAggregated } from "./aggregated.ts";
import { type ServedVersion, servedGroups } from "./order.ts";
import { resourcesOf } from "./resources.ts";
import { type ApiReply, type ApiRequest, reply, replyLines } from "../request/request-response.ts";

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
const resourceList = ({ group, version, kinds }: ServedVersion): object => ({
  kind: "APIResourceList",
  ...(group !== "" && { apiVersion: "v1" }),
  groupVersion: apiVersionOf({ group, version }),
  resources: kinds.flatMap(resourcesOf),
});

function apiVersions({ headers }: ApiRequest): object {
  const serverAddress = String(headers[":authority"] ?? headers.host ?? "");
  const serverAddressByClientCIDRs = [{ clientCIDR: "0.0.0.0/0", serverAddress }];
  return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs };
}

/** Old discovery has one form, and no other may stand in for it. */
function replyPlain(value: object, { headers }: ApiRequest): ApiReply {
  negotiated(headers.accept, ["Plain"]);
  return reply(value);
}

/** The documents of one set of kinds. The aggregated ones are built on first request. */
interface Documents {
  readonly answers: ReadonlyMap<string, (request: ApiRequest) => object>;
  aggregated(path: "/api" | "/apis"): Tagged;
  readonly index: object;
}

function documentsOf(kinds: readonly ResourceDefinition[], others: readonly string[]): Documents {
  const groups = servedGroups(kinds);
  const named = groups.filter(([group]) => group !== "");
  const core = groups.filter(([group]) => group === "");
  const made: Partial<Record<"/api" | "/apis", Tagged>> = {};
  const answers = new Map<string, (request: ApiRequest) => object>([
    ["/api", apiVersions],
    ["/apis", () => ({ kind: "APIGroupList", apiVersion: "v1", groups: named.map(([g, v]) => groupOf(g, v)) })],
    ...named.map(([g, v]) => [rootOf(g), () => ({ kind: "APIGroup", apiVersion: "v1", ...groupOf(g, v) })] as const),
    ...groups.flatMap(([g, versions]) =>
      versions.map((served) => [`${rootOf(g)}/${served.version}`, () => resourceList(served)] as const),
    ),
  ]);
  return {
    answers,
    aggregated(path) {
      made[path] ??= aggregated(path === "/api" ? core : named);
      return made[path];
    },
    index: { paths: [...new Set([...otherPaths, ...others, ...answers.keys()])].toSorted() },
  };
}

/**
 * Answers discovery's paths and the index at the root, where what others answer is named as well; undefined when the
 * path is neither. Documents are rebuilt lazily after the set of kinds has changed.
 */
export function discovery(
  kinds: Pick<KindRegistry, "all">,
  others: readonly string[] = [],
): (request: ApiRequest) => ApiReply | undefined {
  const current = derivedFrom(kinds, (all) => documentsOf(all, others));
  return (request) => {
    const path = request.path.length > 1 ? request.path.replace(/\/$/, "") : request.path;
    const documents = current();
    const document = documents.answers.get(path);
    if (!document && path !== "/" && path !== "/index.html") return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotServed();
    if (!document) return replyLines(documents.index);
    if ((path === "/api" || path === "/apis") && wantsAggregated(request.headers.accept))
      return replyAggregated(documents.aggregated(path), request);
    return replyPlain(document(request), request);
  };
}
