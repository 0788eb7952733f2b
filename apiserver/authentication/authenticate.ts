// Authentication: the subject of a client certificate that the cluster's authority signed, the owner of a bearer token,
// or the anonymous user; and impersonation, for which the caller needs the verb `impersonate`.
import type { IncomingHttpHeaders } from "node:http";
import { certifiedSubject, type ClientConnection } from "../../machinery/client-certificates.ts";
import type { Clock, World } from "../../machinery/world.ts";
import type { User, Authorizer, RequestInfo } from "../authorization/authorizer.ts";
import { ApiError } from "../../api/errors.ts";
import { validateLabelName, validateSubdomainName } from "../../api/names.ts";
import { accountGroups } from "./claims.ts";
import { accessDenied } from "../registry/refusals.ts";

/** The user of requests without credentials. */
export const anonymous: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** A user, and when the certificate that names them expires. */
interface Certified {
  readonly user: User | undefined;
  readonly until: number;
}

function certifiedBy(connection: ClientConnection): Certified {
  const subject = certifiedSubject(connection);
  if (subject === "none") return { user: anonymous, until: Number.POSITIVE_INFINITY };
  if (subject === "invalid") return { user: undefined, until: Number.POSITIVE_INFINITY };
  const { name, groups, fingerprint, until } = subject;
  const extra = { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] };
  return { user: { name, groups: [...groups, "system:authenticated"], extra }, until };
}

/**
 * The user's name is the certificate's CN, the groups are its Os. Undefined for a certificate that is not trusted: such
 * a client is not even anonymous.
 */
export const userOf = (connection: ClientConnection): User | undefined => certifiedBy(connection).user;

const known = new WeakMap<object, Certified>();

/** Cached per connection, whose certificate does not change; it may expire while the connection is open. */
function userOfConnection(connection: object, socket: ClientConnection, clock: Clock): User | undefined {
  let found = known.get(connection);
  if (!found) {
    found = certifiedBy(socket);
    known.set(connection, found);
  }
  return found.until === Number.POSITIVE_INFINITY || clock.now() < found.until ? found.user : undefined;
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
  readonly socket: ClientConnection;
  readonly url?: string | undefined;
  /** With the new version of HTTP, the stream it came on. */
  readonly stream?: { readonly session?: object | undefined };
}
/** The user of a request: by certificate, else by token, else anonymous; undefined for invalid credentials. */
export type Identify = (request: Envelope) => User | undefined | Promise<User | undefined>;

/** Calls `whose` for tokens only; with a certificate the result is not a promise. */
export function identifier(whose: (token: string) => Promise<User>, { clock, log }: Omit<World, "random">): Identify {
  const believed = (token: string): Promise<User | undefined> =>
    whose(token).catch((e: unknown) => {
      log("a token was not believed", { error: (e as Error).message });
      return undefined;
    });
  return ({ headers, socket, stream }) => {
    const certified = userOfConnection(stream?.session ?? socket, socket, clock);
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

/** Headers as they came: name, value, name, value. Several of one name are several values. */
type RawHeaders = readonly string[];

const extraPrefix = "impersonate-extra-";

/** The user that is to be impersonated. */
interface Wish {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

function wishIn(headers: RawHeaders): Wish {
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  let [name, uid] = ["", ""];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [header, value] = [headers[i]!.toLowerCase(), headers[i + 1]!];
    if (header === "impersonate-user") name ||= value;
    else if (header === "impersonate-uid") uid ||= value;
    else if (header === "impersonate-group") groups.push(value);
    else if (header.startsWith(extraPrefix)) {
      const key = unescaped(header.slice(extraPrefix.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  return { name, uid, groups, extra };
}

/** The service account a name is of, if it is of one. */
function accountIn(name: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, , namespace, account, ...more] = name.startsWith("system:serviceaccount:") ? name.split(":") : [];
  if (namespace === undefined || account === undefined || more.length > 0) return undefined;
  const isWrong = validateLabelName(namespace, "").length + validateSubdomainName(account, "").length > 0;
  return isWrong ? undefined : { namespace, name: account };
}

/** The attributes that must be authorized, one for each impersonated value. */
function attempts({ name, uid, groups, extra }: Wish): readonly RequestInfo[] {
  const account = accountIn(name);
  const be = (of: Omit<RequestInfo, "verb">): RequestInfo => ({ verb: "impersonate", group: "", ...of });
  const values = [...extra].flatMap(([key, all]) => all.map((value) => [key, value] as const));
  const authentication = { group: "authentication.k8s.io", version: "v1" };
  return [
    account ? be({ resource: "serviceaccounts", ...account }) : be({ resource: "users", name }),
    ...groups.map((group) => be({ resource: "groups", name: group })),
    ...values.map(([subresource, value]) =>
      be({ ...authentication, resource: "userextras", subresource, name: value }),
    ),
    ...(uid === "" ? [] : [be({ ...authentication, resource: "uids", name: uid })]),
  ];
}

const authenticatedGroup = "system:authenticated";
const unauthenticatedGroup = anonymous.groups[0]!;

/** The requested groups, or those of the service account, with system:authenticated or :unauthenticated. */
function groupsOf({ name, groups }: Wish): readonly string[] {
  const account = accountIn(name);
  const requested = groups.length > 0 || !account ? groups : accountGroups(account.namespace);
  if (name === anonymous.name)
    return requested.includes(unauthenticatedGroup) ? requested : [...requested, unauthenticatedGroup];
  return requested.includes(authenticatedGroup) || requested.includes(unauthenticatedGroup)
    ? requested
    : [...requested, authenticatedGroup];
}

const goList = (words: readonly string[]): string =>
  `[]string{${words.map((word) => JSON.stringify(word)).join(", ")}}`;
/** The request as Kubernetes prints it, in Go syntax. */
function shown({ uid, groups, extra }: Wish): string {
  const pairs = [...extra].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const map = `map[string][]string{${pairs.map(([key, all]) => `${JSON.stringify(key)}:${goList(all)}`).join(", ")}}`;
  const [some, more] = [
    groups.length > 0 ? goList(groups) : "[]string(nil)",
    extra.size > 0 ? map : "map[string][]string(nil)",
  ];
  return `&user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${some}, Extra:${more}}`;
}

/** The impersonated user. Rejects when impersonation is not authorized, or groups are named without a user. */
export async function impersonated(user: User, headers: RawHeaders, authorizer: Authorizer): Promise<User> {
  const wish = wishIn(headers);
  if (wish.name === "") {
    if (wish.uid === "" && wish.groups.length === 0 && wish.extra.size === 0) return user;
    throw new ApiError("BadRequest", `requested ${shown(wish)} without impersonating a user name`);
  }
  for (const info of attempts(wish)) {
    const attributes = { ...info, user };
    const { allowed, reason } = await authorizer.decide(attributes);
    if (!allowed) throw accessDenied(attributes, reason);
  }
  const { name, uid, extra } = wish;
  return {
    name,
    ...(uid !== "" && { uid }),
    groups: groupsOf(wish),
    ...(extra.size > 0 && { extra: Object.fromEntries(extra) }),
  };
}
