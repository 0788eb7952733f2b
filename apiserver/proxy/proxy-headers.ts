// Headers that a proxy adds, removes and rewrites. Pure.
import type { IncomingHttpHeaders } from "node:http";

/** Headers by name; several values are several lines. */
export type Lines = Readonly<Record<string, string | string[]>>;

/** Headers that hold for one connection only, and `http2-settings`, which the next connection may not understand. */
const hopByHop = new Set([
  ...["connection", "proxy-connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"],
  ...["trailer", "transfer-encoding", "upgrade", "http2-settings"],
]);
/** Headers about the client's identity, which is between it and this server. `Expect` was answered here. */
const ours = (name: string): boolean =>
  name === "authorization" || name === "expect" || name.startsWith("impersonate-") || name.startsWith(":");
const isCors = (name: string): boolean => /^access-control-allow-(credentials|headers|methods|origin)$/.test(name);

const listed = (header: string | readonly string[] | undefined): readonly string[] =>
  String(header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase());

/** The client's side of a proxied request. */
export interface ProxyContext {
  /** The host in the client's request. */
  readonly host: string;
  /** The path of the proxy. */
  readonly prefix: string;
  /** The client's address. */
  readonly from: string | undefined;
}

/** Headers to be sent on, except those that are dropped; the client's address is added to `x-forwarded-for`. */
function forwarded(
  headers: IncomingHttpHeaders,
  { host, from }: ProxyContext,
  isDropped: (name: string) => boolean,
): Lines {
  const kept = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && !ours(name) && !isDropped(name),
  );
  const addresses = [headers["x-forwarded-for"], from].filter((value) => value !== undefined).join(", ");
  return {
    ...(Object.fromEntries(kept) as Lines),
    host,
    ...(addresses !== "" && { "x-forwarded-for": addresses }),
  };
}

/** The headers of the request to the target; `uri` is its path there. */
export function requestHeaders(headers: IncomingHttpHeaders, context: ProxyContext, uri: string): Lines {
  const named = listed(headers.connection);
  return {
    ...forwarded(headers, context, (name) => hopByHop.has(name) || named.includes(name)),
    "x-forwarded-uri": `${context.prefix}${uri}`,
  };
}

/** The headers of a request that upgrades its connection, whose own headers have to pass. */
export const upgradeHeaders = (headers: IncomingHttpHeaders, context: ProxyContext): Lines =>
  forwarded(headers, context, () => false);

/** The headers of the response. */
export function responseHeaders(headers: NodeJS.Dict<string[]>): Record<string, string | string[]> {
  const named = listed(headers["connection"]);
  const kept = Object.entries(headers).filter(
    ([name]) => !hopByHop.has(name) && !isCors(name) && !named.includes(name),
  );
  return Object.fromEntries(kept.map(([name, values = []]) => [name, values.length === 1 ? values[0]! : values]));
}

const url = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is;

/**
 * A link on a page of the target, made to lead through the proxy. Links to other hosts and relative ones are unchanged;
 * `target` is the host the page came from.
 */
export function throughProxy(
  link: string,
  target: string,
  { host, prefix }: Pick<ProxyContext, "host" | "prefix">,
): string {
  const [, scheme, place = "", path = "", after = ""] = url.exec(link) ?? [];
  const elsewhere = place !== "" && place !== target && place !== host;
  if (elsewhere || !path.startsWith("/")) return link;
  const origin = place === host && scheme !== undefined ? `${scheme}://${place}` : "";
  return `${origin}${path.startsWith(prefix) ? path : `${prefix}${path}`}${after}`;
}
