// Service account tokens: signed with the cluster's key, valid while the account and the objects they are bound to
// exist; and OpenID discovery, by which others verify them.
import { quotedList } from "../../api/quote.ts";
import { hasReason } from "../../api/errors.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { secrets } from "../../api/core/secrets.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Instant, type Key, key } from "../../api/meta.ts";
import type { User } from "../authorization/authorizer.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { newUid } from "../registry/prepare.ts";
import { notFound } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import {
  type Bound,
  type Claims,
  type TokenParameters,
  bearer,
  claimsOf,
  disowned,
  unbound,
  untimely,
} from "./claims.ts";
import type { Extension, WholeReply } from "../request/request-response.ts";
import type { Present, Stored } from "../storage/storage.ts";
import { isOfSecret, secretTokens } from "./secret-tokens.ts";
import { signingKey, type SigningKey } from "./signing.ts";

/** The issuer of tokens and its key. */
export interface TokenOptions {
  /** Where the documents about its tokens are: an address that begins with https. */
  readonly issuer: string;
  /** The private key, as PEM. */
  readonly key: string;
}
/** The owner of a token, and the requested audiences it is for. */
export interface Owner {
  readonly user: User;
  readonly audiences: readonly string[];
}
/** Issues tokens, and verifies them. */
export interface Tokens {
  readonly issuer: string;
  readonly jwk: SigningKey["jwk"];
  /** A new one, for an account that is there. */
  make(account: ApiObject, parameters: Omit<TokenParameters, "issuer" | "id">): string;
  /** The owner of a token. Throws why it is not valid. Without audiences it must be for this server. */
  ownerOf(token: string, audiences?: readonly string[]): Promise<Owner>;
}

/** The kinds a token may be bound to, by their names in the claims. */
const boundKinds: Readonly<Record<keyof Bound, ResourceDefinition>> = {
  pod: pods as unknown as ResourceDefinition,
  secret: secrets as unknown as ResourceDefinition,
  node: nodes as unknown as ResourceDefinition,
};
/** The error for a token that is of no known kind. */
export const unknownToken = "invalid bearer token";

/** The claimed issuer, before verification. */
export function issuerIn(token: string): string | undefined {
  try {
    const [, claims = "", , ...more] = token.split(".");
    return more.length > 0 ? undefined : JSON.parse(Buffer.from(claims, "base64url").toString()).iss;
  } catch {
    return undefined;
  }
}

/** An object by name; undefined if it does not exist. */
export async function find(registry: Registry, r: ResourceDefinition, at: Key): Promise<ApiObject | undefined> {
  try {
    return objectOf(await registry.get(r, at));
  } catch (e) {
    if (hasReason(e, "NotFound")) return undefined;
    throw e;
  }
}

/** An object that a token depends on, as it was when the token was last valid. */
interface Dependency {
  readonly path: string;
  readonly stored: Stored;
}
/** A token with a valid signature. */
interface Verified {
  readonly claims: Claims;
  readonly user: User;
  /** While the store holds these, the objects of the token need not be read. Undefined if one is being deleted. */
  dependencies: readonly Dependency[] | undefined;
}
/** Tokens whose signature is not verified again. */
const cachedTokens = 4096;

/** Why the objects of a token invalidate it, if they do; and those that it depends on. */
function lookUp(present: Present, claims: Claims, now: Instant): string | readonly Dependency[] | undefined {
  const { namespace, serviceaccount, pod, secret, node } = claims["kubernetes.io"];
  const dependencies: Dependency[] = [];
  let isDeleting = false;
  const read = (r: ResourceDefinition, at: Key): ApiObject | undefined => {
    const path = prefixOf(r) + at;
    const stored = present.get(path);
    if (!stored) return undefined;
    dependencies.push({ path, stored });
    const object = objectOf(stored);
    isDeleting ||= object.metadata.deletionTimestamp !== undefined;
    return object;
  };
  const account = read(serviceAccounts as unknown as ResourceDefinition, key(namespace, serviceaccount.name));
  if (!account) throw notFound(serviceAccounts, serviceaccount.name);
  const disclaimed = disowned(claims, account, now);
  if (disclaimed) return disclaimed;
  // The node is informational: the pod may outlive it.
  const bound = { secret, pod, ...(!pod && { node }) };
  for (const what of ["secret", "pod", "node"] as const) {
    const to = bound[what];
    if (!to) continue;
    const object = read(boundKinds[what], key(what === "node" ? undefined : namespace, to.name));
    const because = unbound(what, to, object, now);
    if (because) return because;
  }
  return isDeleting ? undefined : dependencies;
}

/** Throws why a token does not count any more: because of time, of its account, or of what it is bound to. */
function checkStanding(token: Verified, present: Present, now: Instant): void {
  const late = untimely(token.claims, now);
  if (late) throw new Error(late);
  if (token.dependencies?.every(({ path, stored }) => present.get(path) === stored)) return;
  token.dependencies = undefined;
  const found = lookUp(present, token.claims, now);
  if (typeof found === "string") throw new Error(found);
  token.dependencies = found;
}

/** Tokens of the cluster behind this registry. */
export function tokens(registry: Registry, { issuer, key: pem }: TokenOptions): Tokens {
  const signer = signingKey(pem);
  const recent = new Map<string, Verified>();
  const own = [issuer];
  const bySecret = secretTokens(registry, signer);
  /** The token in a secret has no audiences: it is for this server. */
  const ownerBySecret = async (token: string, targets: readonly string[]): Promise<Owner> => {
    if (!targets.includes(issuer))
      throw new Error(`token audiences ${quotedList(own)} is invalid for the target audiences ${quotedList(targets)}`);
    return { user: await bySecret(token), audiences: own };
  };
  /** Verifies the signature, once for each token while it is cached. */
  const verified = (token: string): Verified => {
    const claims = signer.claimsIn(token) as Claims;
    const entry: Verified = { claims, user: bearer(claims), dependencies: undefined };
    if (recent.size >= cachedTokens) recent.delete(recent.keys().next().value!);
    recent.set(token, entry);
    return entry;
  };
  return {
    issuer,
    jwk: signer.jwk,
    make(account, parameters) {
      const { clock, random } = registry.world;
      return signer.sign(claimsOf(account, { ...parameters, issuer, id: newUid(random) }, clock.now()));
    },
    async ownerOf(token, targets = own) {
      const known = recent.get(token);
      const from = known ? issuer : issuerIn(token);
      if (isOfSecret(from)) return ownerBySecret(token, targets);
      if (from !== issuer) throw new Error(unknownToken);
      const entry = known ?? verified(token);
      const { aud } = entry.claims;
      const audiences = aud.filter((audience) => targets.includes(audience));
      if (audiences.length === 0)
        throw new Error(
          `token audiences ${quotedList(aud)} is invalid for the target audiences ${quotedList(targets)}`,
        );
      checkStanding(entry, await registry.present(), registry.world.clock.now());
      return { user: entry.user, audiences };
    },
  };
}

const cached = { "cache-control": "public, max-age=3600" };
const configPath = "/.well-known/openid-configuration";
const keysPath = "/openid/v1/jwks";

const publicDocument = (value: object, type: string): WholeReply => ({
  status: 200,
  body: Buffer.from(JSON.stringify(value)),
  headers: { "content-type": type, ...cached },
});

/** Serves the two documents; `address` is where this server is reached. */
export function openId({ issuer, jwk }: Pick<Tokens, "issuer" | "jwk">, address: () => string): Extension {
  const config = (): object => ({
    issuer,
    jwks_uri: `https://${address()}${keysPath}`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [jwk["alg"]],
  });
  return ({ path: requestPath, method }) => {
    if (method !== "GET") return undefined;
    const path = requestPath.replace(/\/$/, "");
    if (path === configPath) return publicDocument(config(), "application/json");
    return path === keysPath ? publicDocument({ keys: [jwk] }, "application/jwk-set+json") : undefined;
  };
}
