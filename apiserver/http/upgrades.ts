// Requests that upgrade their connection: logs and watches over WebSocket, sessions, and proxied upgrades.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Kubelets } from "../kubelets/kubelets.ts";
import { proxyUpgrade } from "../proxy/proxy.ts";
import { proxyPath } from "../proxy/target.ts";
import type { Registry } from "../registry/verbs.ts";
import { podLogMessages, isSession, podSession, ofPod } from "../streaming/pods.ts";
import type { User } from "../authorization/authorizer.ts";
import { type ApiReply, type ApiRequest, statusOf } from "../request/request-response.ts";
import { type ResourcePath, resourcePath } from "../request/path.ts";
import { type Upgrade, refuse, switchingProtocols } from "../streaming/tunnel.ts";
import { answerUpgrade } from "../watch/watch-messages.ts";

/** The request as if it wanted nothing but an answer. Its body, if it has one, is not read. */
const plain = (
  { request, path, query, search }: Upgrade,
  place: ResourcePath | undefined,
  user: User,
  signal: AbortSignal,
): ApiRequest => ({
  method: request.method ?? "GET",
  path,
  place,
  query,
  headers: request.headers,
  body: undefined,
  search,
  from: request.socket.remoteAddress,
  user,
  signal,
});

/** The user of an upgrade, and the callback for metrics. */
export interface Upgrading extends Pick<Upgrade, "onChunk"> {
  readonly user: User;
}

/** Serves them all; `answer` answers those that could as well be plain requests. */
export function upgrades(registry: Registry, kubelets: Kubelets, handle: (request: ApiRequest) => Promise<ApiReply>) {
  const begin = async (upgrade: Upgrade, user: User, signal: AbortSignal): Promise<number> => {
    const place = resourcePath(upgrade.path);
    const proxied = proxyPath(upgrade.path);
    if (ofPod(place) && place.subresource === "log") await podLogMessages(registry, kubelets, place, upgrade, signal);
    else if (ofPod(place) && isSession(place)) await podSession(registry, kubelets, place, upgrade);
    else if (proxied) await proxyUpgrade(registry, kubelets, proxied, upgrade);
    else return answerUpgrade(upgrade, await handle(plain(upgrade, place, user, signal)), registry.world.clock);
    return switchingProtocols;
  };
  /** Answers with the status it came to. */
  return async (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { user, onChunk }: Upgrading,
  ): Promise<number> => {
    const { pathname: path, searchParams: query, search } = new URL(request.url ?? "/", "https://apiserver");
    const left = new AbortController();
    socket.once("close", () => left.abort());
    try {
      return await begin({ request, socket, head, path, query, search, onChunk }, user, left.signal);
    } catch (e) {
      refuse(socket, e);
      return statusOf(e).code;
    }
  };
}
