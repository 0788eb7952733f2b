// What the server serves, told to clients: groups, versions, kinds, verbs and short names, all derived from the table
// of kinds.
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import { methodNotServed } from "../registry/refusals.ts";
import { negotiated } from "../response/accept.ts";
import { aggregated, replyAggregated, wantsAggregated } from "./aggregated.ts";
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

/** The core group's answers are as old as the API: nothing said its own version then. */
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

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * Answers discovery's paths and the index at the root, where what others answer is named as well; nothing when the path
 * is neither. Documents are made once.
 */
export function discovery(
  kinds: readonly ResourceDefinition[],
  others: readonly string[] = [],
): (request: ApiRequest) => ApiReply | undefined {
  const groups = servedGroups(kinds);
  const named = groups.filter(([group]) => group !== "");
  const core = groups.filter(([group]) => group === "");
  const documents = { "/api": once(() => aggregated(core)), "/apis": once(() => aggregated(named)) };
  const answers = new Map<string, (request: ApiRequest) => object>([
    ["/api", apiVersions],
    ["/apis", () => ({ kind: "APIGroupList", apiVersion: "v1", groups: named.map(([g, v]) => groupOf(g, v)) })],
    ...named.map(([g, v]) => [rootOf(g), () => ({ kind: "APIGroup", apiVersion: "v1", ...groupOf(g, v) })] as const),
    ...groups.flatMap(([g, versions]) =>
      versions.map((served) => [`${rootOf(g)}/${served.version}`, () => resourceList(served)] as const),
    ),
  ]);
  const index = { paths: [...new Set([...otherPaths, ...others, ...answers.keys()])].toSorted() };
  return (request) => {
    const path = request.path.length > 1 ? request.path.replace(/\/$/, "") : request.path;
    const answer = answers.get(path);
    if (!answer && path !== "/" && path !== "/index.html") return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotServed();
    if (!answer) return replyLines(index);
    if ((path === "/api" || path === "/apis") && wantsAggregated(request.headers.accept))
      return replyAggregated(documents[path](), request);
    return replyPlain(answer(request), request);
  };
}
