// Service account tokens: compact JSON Web Signatures (RFC 7515) with the cluster's key, valid while the account and
// the objects they are bound to exist; and OpenID discovery, by which others verify them.
import { quotedList } from "../../api/quote.ts";
import { type KeyObject, createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { hasReason } from "../../api/errors.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { secrets } from "../../api/core/secrets.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Key, key } from "../../api/meta.ts";
import type { User } from "../authorization/authorizer.ts";
import { objectOf } from "../registry/codec.ts";
import { newUid } from "../registry/prepare.ts";
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

/** Signs claims, and verifies its own signatures. */
export interface SigningKey {
  /** The public half, as a set of keys shows it. */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** The claims as a token. */
  sign(claims: object): string;
  /** The claims of a token. Throws when this key has not signed it. */
  claimsIn(token: string): unknown;
}

const algorithms = { ec: "ES256", rsa: "RS256" } as const;
type Kind = keyof typeof algorithms;

const encodedPart = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const decodedPart = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());

/** The id of a key: a hash of its public half. */
const idOf = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ format: "der", type: "spki" }))
    .digest("base64url");

/** Recently verified tokens, whose signature is not checked again. */
const remembered = 1000;

/** The key in a PEM file: of an elliptic curve (P-256), or of RSA. */
export function signingKey(pem: string): SigningKey {
  const secret = createPrivateKey(pem);
  const key = createPublicKey(secret);
  const alg = algorithms[key.asymmetricKeyType as Kind];
  const kid = idOf(key);
  const head = encodedPart({ alg, kid });
  const form = { dsaEncoding: "ieee-p1363" } as const;
  const verified = new Map<string, unknown>();
  const check = (token: string): unknown => {
    const [header = "", claims = "", signature = ""] = token.split(".");
    const content = decodedPart(header) as { readonly alg?: string; readonly kid?: string };
    if (content.kid !== undefined && content.kid !== kid) throw new Error("invalid signature, no keys found");
    const isOurs =
      content.alg === alg &&
      verify("sha256", Buffer.from(`${header}.${claims}`), { key, ...form }, Buffer.from(signature, "base64url"));
    if (!isOurs) throw new Error("go-jose/go-jose: error in cryptographic primitive");
    return decodedPart(claims);
  };
  return {
    jwk: { use: "sig", ...key.export({ format: "jwk" }), kid, alg },
    sign(claims) {
      const content = `${head}.${encodedPart(claims)}`;
      return `${content}.${sign("sha256", Buffer.from(content), { key: secret, ...form }).toString("base64url")}`;
    },
    claimsIn(token) {
      const before = verified.get(token);
      if (before !== undefined) return before;
      const claims = check(token);
      if (verified.size >= remembered) verified.clear();
      verified.set(token, claims);
      return claims;
    },
  };
}

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

/** Why the token does not count any more, if so: because of time, of its account, or of what it is bound to. */
async function spent(registry: Registry, claims: Claims): Promise<string | undefined> {
  const now = registry.world.clock.now();
  const late = untimely(claims, now);
  if (late) return late;
  const { namespace, serviceaccount, pod, secret, node } = claims["kubernetes.io"];
  const account = objectOf<ApiObject>(await registry.get(serviceAccounts, key(namespace, serviceaccount.name)));
  const disclaimed = disowned(claims, account, now);
  if (disclaimed) return disclaimed;
  // The node is informational: the pod may outlive it.
  const bound = { secret, pod, ...(!pod && { node }) };
  for (const what of ["secret", "pod", "node"] as const) {
    const to = bound[what];
    if (!to) continue;
    const at = key(what === "node" ? undefined : namespace, to.name);
    const because = unbound(what, to, await find(registry, boundKinds[what], at), now);
    if (because) return because;
  }
  return undefined;
}

/** Tokens of the cluster behind this registry. */
export function tokens(registry: Registry, { issuer, key: pem }: TokenOptions): Tokens {
  const signer = signingKey(pem);
  return {
    issuer,
    jwk: signer.jwk,
    make(account, parameters) {
      const { clock, random } = registry.world;
      return signer.sign(claimsOf(account, { ...parameters, issuer, id: newUid(random) }, clock.now()));
    },
    async ownerOf(token, targets = [issuer]) {
      if (issuerIn(token) !== issuer) throw new Error(unknownToken);
      const claims = signer.claimsIn(token) as Claims;
      const audiences = claims.aud.filter((audience) => targets.includes(audience));
      if (audiences.length === 0)
        throw new Error(
          `token audiences ${quotedList(claims.aud)} is invalid for the target audiences ${quotedList(targets)}`,
        );
      const because = await spent(registry, claims);
      if (because !== undefined) throw new Error(because);
      return { user: bearer(claims), audiences };
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
