// Headers that a proxy adds, removes and rewrites. Pure.
import type { IncomingHttpHeaders } from "node:http";

/** Headers by name; several values are several lines. */
export type Lines = Readonly<Record<string, string | string[]>>;

/** They are about one connection, and ours and the next are two. */
const hopByHop = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // With two versions of HTTP on either side, this one only confuses.
  "http2-settings",
]);
/** They say who asks us; that is no business of what is behind. `Expect` was answered here. */
const ours = (name: string): boolean =>
  name === "authorization" || name === "expect" || name.startsWith("impersonate-") || name.startsWith(":");
const cors = new Set([
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
]);

const listed = (header: string | readonly string[] | undefined): readonly string[] =>
  String(header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase());

/** How the client sees what is behind. */
export interface Asked {
  /** The host in the client's request. */
  readonly host: string;
  /** The path of the proxy itself. */
  readonly prefix: string;
  /** The client's address. */
  readonly from: string | undefined;
}

function forwardedFor(headers: IncomingHttpHeaders, from: string | undefined): Lines {
  const before = headers["x-forwarded-for"];
  const all = [before, from].filter((value) => value !== undefined).join(", ");
  return all === "" ? {} : { "x-forwarded-for": all };
}

/** The headers what is behind is asked with; `uri` is the path it is asked for. */
export function requestHeaders(headers: IncomingHttpHeaders, { host, prefix, from }: Asked, uri: string): Lines {
  const named = listed(headers.connection);
  const kept = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && !hopByHop.has(name) && !ours(name) && !named.includes(name),
  );
  return {
    ...(Object.fromEntries(kept) as Record<string, string | string[]>),
    host,
    ...forwardedFor(headers, from),
    "x-forwarded-uri": `${prefix}${uri}`,
  };
}

/** The headers of a request that is to become something else than HTTP: here the connection's own have to pass. */
export function upgradeHeaders(headers: IncomingHttpHeaders, { host, from }: Asked): Lines {
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !ours(name));
  return {
    ...(Object.fromEntries(kept) as Record<string, string | string[]>),
    host,
    ...forwardedFor(headers, from),
  };
}

/** The headers of the answer. */
export function responseHeaders(headers: NodeJS.Dict<string[]>): Record<string, string | string[]> {
  const named = listed(headers["connection"]);
  const kept = Object.entries(headers).filter(
    ([name]) => !hopByHop.has(name) && !cors.has(name) && !named.includes(name),
  );
  return Object.fromEntries(kept.map(([name, values = []]) => [name, values.length === 1 ? values[0]! : values]));
}

const url = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is;

/**
 * A link on a page of what is behind, so that it leads through the proxy again. Links to other hosts and relative ones
 * are left alone; `behind` is the host the page came from.
 */
export function throughProxy(link: string, behind: string, { host, prefix }: Pick<Asked, "host" | "prefix">): string {
  const [, scheme, place = "", path = "", after = ""] = url.exec(link) ?? [];
  const elsewhere = place !== "" && place !== behind && place !== host;
  if (elsewhere || !path.startsWith("/")) return link;
  const origin = place === host && scheme !== undefined ? `${scheme}://${place}` : "";
  return `${origin}${path.startsWith(prefix) ? path : `${prefix}${path}`}${after}`;
}
