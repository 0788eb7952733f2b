// Authentication: the subject of a client certificate that the cluster's authority signed, the owner of a bearer token,
// or the anonymous user.
import type { IncomingHttpHeaders } from "node:http";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { Log } from "../../machinery/world.ts";
import type { User } from "../authorization/authorizer.ts";

/** What of a connection identifies its client. */
type Shown = Pick<TLSSocket, "authorized" | "getPeerCertificate">;

/** The user of requests without credentials. */
export const anonymous: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

const list = (value: string | string[] | undefined): readonly string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/**
 * The user's name is the certificate's CN, the groups are its Os. Undefined for a certificate that is not trusted: such
 * a client is not even anonymous.
 */
export function userOf(socket: Shown): User | undefined {
  const { subject, fingerprint256 = "" } = socket.getPeerCertificate() as Partial<PeerCertificate>;
  if (!subject) return anonymous;
  const name = list(subject.CN as string | string[] | undefined)[0];
  if (!socket.authorized || !name) return undefined;
  const id = `X509SHA256=${fingerprint256.replaceAll(":", "").toLowerCase()}`;
  return {
    name,
    groups: [...list(subject.O as string | string[] | undefined), "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [id] },
  };
}

const known = new WeakMap<object, { readonly user: User | undefined }>();

/** Cached per connection, whose certificate does not change. */
function userOfConnection(connection: object, socket: Shown): User | undefined {
  let found = known.get(connection);
  if (!found) {
    found = { user: userOf(socket) };
    known.set(connection, found);
  }
  return found.user;
}

/** The bearer token in an Authorization header. */
export function bearerToken(authorization: string | undefined): string | undefined {
  const [scheme = "", token = ""] = (authorization ?? "").trim().split(" ");
  return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
}

const tokenProtocol = "base64url.bearer.authorization.k8s.io.";

/**
 * The token among the subprotocols of a WebSocket, since browsers cannot set headers. It is removed there. A token
 * without another subprotocol, or beside a second token, is invalid.
 */
export function offeredToken(headers: IncomingHttpHeaders): string | undefined {
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  const [token, ...more] = offered.filter((name) => name.startsWith(tokenProtocol));
  if (token === undefined || headers.upgrade?.toLowerCase() !== "websocket") return undefined;
  const others = offered.filter((name) => name !== "" && !name.startsWith(tokenProtocol));
  if (more.length > 0 || others.length === 0) return "";
  headers["sec-websocket-protocol"] = others.join(",");
  return Buffer.from(token.slice(tokenProtocol.length), "base64url").toString();
}

/** What of a request identifies its user. */
export interface Envelope {
  readonly headers: IncomingHttpHeaders;
  readonly socket: Shown;
  /** With the new version of HTTP, the stream it came on. */
  readonly stream?: { readonly session?: object | undefined };
}
/** The user of a request: by certificate, else by token, else anonymous; undefined for invalid credentials. */
export type Identify = (request: Envelope) => User | undefined | Promise<User | undefined>;

/** Calls `whose` for tokens only; with a certificate the result is not a promise. */
export function identifier(whose: (token: string) => Promise<User>, log: Log): Identify {
  const believed = (token: string): Promise<User | undefined> =>
    whose(token).catch((e: unknown) => {
      log("a token was not believed", { error: (e as Error).message });
      return undefined;
    });
  return ({ headers, socket, stream }) => {
    const certified = userOfConnection(stream?.session ?? socket, socket);
    if (certified && certified !== anonymous) return certified;
    const token = bearerToken(headers.authorization) ?? offeredToken(headers);
    return token === undefined ? certified : believed(token);
  };
}

/** Whether a request carries impersonation headers. */
export function isImpersonating(headers: object): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}
