// Which requests of a browser a local server that holds credentials accepts. Pure.
//
// A page of any site can send requests to 127.0.0.1, and by DNS rebinding even read the responses under a name of its
// own. So a request needs the exact authority of the server as Host, and no foreign Origin or Sec-Fetch-Site; and the
// cookie, which a browser has only after it opened the URL with the token that the command printed.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** The secrets of one run, and the server's host and port, for example `127.0.0.1:40001`. */
export interface GateSecrets {
  readonly authority: string;
  /** In the URL that is opened. It is of use once, so that the browser's history holds no credential. */
  readonly token: string;
  /** The value of the cookie. */
  readonly session: string;
}

export type GateDecision =
  | { readonly kind: "accept" }
  | { readonly kind: "sign-in"; readonly cookie: string }
  | { readonly kind: "refuse"; readonly status: 401 | 403; readonly message: string };

export interface GateRequest {
  /** With the query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
/** Compares in a time that does not depend on where two texts differ. */
const isSecret = (text: string | null | undefined, secret: string): boolean =>
  typeof text === "string" && timingSafeEqual(digest(text), digest(secret));

const refuse = (status: 401 | 403, message: string): GateDecision => ({ kind: "refuse", status, message });

/** The name has the port: cookies are shared by all ports of a host. */
const cookieName = (authority: string): string => `orrery-${authority.slice(authority.lastIndexOf(":") + 1)}`;

function cookieOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const pairs = (headers.cookie ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Destinations of requests whose responses the browser gives to the page and does not run. */
const fetched: readonly string[] = ["empty", "websocket"];

/** Decides about a request. `tokenUsed`: the token has signed a browser in. */
export function gate({ url, headers }: GateRequest, secrets: GateSecrets, tokenUsed: boolean): GateDecision {
  const { authority, token, session } = secrets;
  if (headers.host !== authority) return refuse(403, `only requests for http://${authority} are accepted`);
  const { origin, "sec-fetch-site": site } = headers;
  if (origin !== undefined && origin !== `http://${authority}`)
    return refuse(403, "requests of other sites are not accepted");
  const query = url.includes("?") ? new URLSearchParams(url.slice(url.indexOf("?"))) : undefined;
  // A navigation from elsewhere, such as a link in a terminal's page, may sign in. Nothing else may be foreign.
  if (url.startsWith("/dashboard/?token=") && !tokenUsed && isSecret(query?.get("token"), token))
    return { kind: "sign-in", cookie: `${cookieName(authority)}=${session}; HttpOnly; SameSite=Strict; Path=/` };
  if (site !== undefined && site !== "same-origin" && site !== "none")
    return refuse(403, "requests of other sites are not accepted");
  if (!isSecret(cookieOf(headers, cookieName(authority)), session))
    return refuse(
      401,
      "not signed in: open the URL that `orrery dashboard` printed, which is of use once, or run it again",
    );
  // Pods and services behind the API's proxies can send pages; opened as such, they would act as the user.
  const destination = headers["sec-fetch-dest"];
  if (!url.startsWith("/dashboard/") && destination !== undefined && !fetched.includes(String(destination)))
    return refuse(403, "the API is for the dashboard's requests, not for opening in a browser");
  return { kind: "accept" };
}
