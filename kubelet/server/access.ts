// Who may use the kubelet's port: clients are authenticated by a certificate of the cluster's authority or by a bearer
// token that the API server reviews, and the API server decides what they may do. Anonymous requests are refused.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { subjectAccessReviews } from "../../api/authorization/accessreviews.ts";
import { tokenReviews } from "../../api/authentication/tokenreviews.ts";
import type { SubjectAccessReview, TokenReview } from "../../api/generated/types.ts";
import type { Draft, Instant } from "../../api/meta.ts";
import { certifiedSubject } from "../../machinery/client-certificates.ts";
import type { Client } from "../../machinery/client.ts";
import { expiringCache } from "../../machinery/expiring-cache.ts";
import type { World } from "../../machinery/world.ts";
import { rightFor } from "./attributes.ts";
import { Refused } from "./find-container.ts";

type User = Pick<SubjectAccessReview["spec"], "user" | "uid" | "groups" | "extra">;

/** Resolves when a request is allowed; rejects with `Refused` otherwise. */
export type CheckAccess = (request: IncomingMessage) => Promise<void>;

/** How long decisions of the API server are remembered. Kubernetes' defaults, in milliseconds. */
const remembered = { user: 120_000, allowed: 300_000, denied: 30_000 };
const unauthorized = (): Refused => new Refused(401, "Unauthorized");

const bearer = /^\s*bearer\s+(\S+)\s*$/i;
const hashOf = (text: string): string => createHash("sha256").update(text).digest("base64");

interface Ports {
  readonly client: Client;
  readonly world: World;
  readonly nodeName: string;
}

/** The user of a token; undefined for an invalid one. */
async function reviewed(client: Client, token: string): Promise<User | undefined> {
  const review: Draft<TokenReview> = { kind: "TokenReview", metadata: {}, spec: { token } };
  const { status } = await client.create(tokenReviews, review);
  if (!status?.authenticated || !status.user) return undefined;
  const { username: user = "", uid, groups = [], extra } = status.user;
  return { user, groups, ...(uid !== undefined && { uid }), ...(extra && { extra }) };
}

/** The user of a connection's certificate, and its end. */
function certified(request: IncomingMessage): { readonly user: User; readonly until: Instant } | undefined {
  const subject = certifiedSubject(request.socket as TLSSocket);
  if (subject === "invalid") throw unauthorized();
  if (subject === "none") return undefined;
  const { name, groups, fingerprint, until } = subject;
  const extra = { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] };
  return { user: { user: name, groups: [...groups, "system:authenticated"], extra }, until };
}

function authentication({ client, world }: Ports): (request: IncomingMessage) => Promise<User> {
  const users = expiringCache<User | "invalid">(world.clock);
  return async (request) => {
    const own = certified(request);
    if (own && world.clock.now() < own.until) return own.user;
    const token = bearer.exec(request.headers.authorization ?? "")?.[1];
    if (own || token === undefined) throw unauthorized();
    const id = hashOf(token);
    let user = users.get(id);
    if (user === undefined) {
      user = await reviewed(client, token).then(
        (found) => found ?? "invalid",
        (e: Error) => {
          world.log("a token cannot be reviewed", { error: e.message });
          throw unauthorized();
        },
      );
      users.set(id, user, remembered.user);
    }
    if (user === "invalid") throw unauthorized();
    return user;
  };
}

/** Whether a user has a right on the node. */
type Authorize = (user: User, verb: string, subresource: string) => Promise<boolean>;

function authorization({ client, world, nodeName }: Ports): Authorize {
  const decisions = expiringCache<boolean>(world.clock);
  return async (user, verb, subresource) => {
    const attributes = { verb, version: "v1", resource: "nodes", subresource, name: nodeName };
    const spec = { ...user, resourceAttributes: attributes };
    const id = hashOf(JSON.stringify(spec));
    const known = decisions.get(id);
    if (known !== undefined) return known;
    const review: Draft<SubjectAccessReview> = { kind: "SubjectAccessReview", metadata: {}, spec };
    const { status } = await client.create(subjectAccessReviews, review);
    const isAllowed = status?.allowed === true;
    decisions.set(id, isAllowed, isAllowed ? remembered.allowed : remembered.denied);
    return isAllowed;
  };
}

function pathOf({ url = "/" }: IncomingMessage): string {
  try {
    return decodeURIComponent(new URL(url, "https://kubelet").pathname);
  } catch {
    throw new Refused(400, "malformed path");
  }
}

/** The check of a node's kubelet, which asks the API server and remembers what it decided. */
export function kubeletAccess(ports: Ports): CheckAccess {
  const authenticate = authentication(ports);
  const mayUse = authorization(ports);
  return async (request) => {
    const user = await authenticate(request);
    const { verb, subresources } = rightFor(request.method ?? "GET", pathOf(request));
    const about = `user=${user.user}, verb=${verb}, resource=nodes`;
    for (const subresource of subresources) {
      const isAllowed = await mayUse(user, verb, subresource).catch((e: Error) => {
        ports.world.log("a request to the kubelet cannot be authorized", { error: e.message });
        throw new Refused(500, `Authorization error (${about}, subresource=${subresource})`);
      });
      if (isAllowed) return;
    }
    throw new Refused(403, `Forbidden (${about}, subresource(s)=[${subresources.join(" ")}])\n`);
  };
}
