// From a request to its reply: the paths that are no kinds, and then the kinds.
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { nowhere } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import { callKind } from "../verbs/verbs.ts";
import { discovery } from "../discovery/discovery.ts";
import { packed, written } from "../response/encode.ts";
import {
  type ApiReply,
  type ApiRequest,
  type Extension,
  replyError,
  replyLines,
  type WholeReply,
} from "../request/request-response.ts";
import { type Checks, health, healthPaths } from "./health.ts";
import { openApi } from "../openapi/openapi.ts";
import { isClaimed } from "../request/paths.ts";
import { version } from "../discovery/version.ts";

/** What nobody claims is not even an API's: so much is said in plain text. */
const noPage: WholeReply = {
  status: 404,
  body: "404 page not found\n",
  headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
};

/** Everything the server answers, errors included. */
export function answerer(
  registry: Registry,
  kinds: KindRegistry,
  extensions: readonly Extension[],
  checks: Checks = { livez: [], readyz: [], healthz: [] },
): (request: ApiRequest) => Promise<ApiReply> {
  const discover = discovery(kinds, healthPaths(checks));
  const documents = openApi(kinds, () => registry.world.clock.now());
  const answer = async (request: ApiRequest): Promise<ApiReply> => {
    const { path, place } = request;
    const named = place && kinds.of(place);
    const call = named && !named.virtual ? { registry, r: named, path: place, request } : undefined;
    // What most requests want needs to ask nobody else.
    if (call && call.path.subresource === undefined) return callKind(call);
    if (path === "/version" || path === "/version/") return replyLines(version);
    for (const extension of extensions) {
      const extended = await extension(request);
      if (extended) return extended;
    }
    const page = (await health(checks, request)) ?? discover(request) ?? (await documents(request));
    if (page) return page;
    if (!isClaimed(kinds.all(), path)) return noPage;
    if (!call) throw nowhere();
    return callKind(call);
  };
  return async (request) => {
    const whole = await answer(request).catch(replyError);
    return "stream" in whole ? whole : packed(written(whole, request), request);
  };
}
