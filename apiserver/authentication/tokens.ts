// Service account tokens: signed with the cluster's key, valid while the account and the objects they are bound to
// exist.
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
import { type Bound, type Claims, type Wanted, bearer, claimsOf, disowned, unbound, untimely } from "./claims.ts";
import { type SigningKey, signingKey } from "./signing-key.ts";

/** In whose name tokens are made, and with which key. */
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
/** Makes tokens, and knows its own. */
export interface Tokens {
  readonly issuer: string;
  readonly jwk: SigningKey["jwk"];
  /** A new one, for an account that is there. */
  make(account: ApiObject, wanted: Omit<Wanted, "issuer" | "id">): string;
  /** The owner of a token. Throws why it is not valid. Without audiences it must be for this server. */
  ownerOf(token: string, audiences?: readonly string[]): Promise<Owner>;
}

/** What a token is bound to, by the word for it in the claims. */
const kinds: Readonly<Record<keyof Bound, ResourceDefinition>> = {
  pod: pods as unknown as ResourceDefinition,
  secret: secrets as unknown as ResourceDefinition,
  node: nodes as unknown as ResourceDefinition,
};
const unknown = "invalid bearer token";
const quoted = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(" ")}]`;

/** The claimed issuer, before verification. */
function issuerIn(token: string): string | undefined {
  try {
    const [, claims = "", , ...more] = token.split(".");
    return more.length > 0 ? undefined : JSON.parse(Buffer.from(claims, "base64url").toString()).iss;
  } catch {
    return undefined;
  }
}

/** An object, or nothing when there is none of the name. */
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
    const because = unbound(what, to, await find(registry, kinds[what], at), now);
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
    make(account, wanted) {
      const { clock, random } = registry.world;
      return signer.sign(claimsOf(account, { ...wanted, issuer, id: newUid(random) }, clock.now()));
    },
    async ownerOf(token, targets = [issuer]) {
      if (issuerIn(token) !== issuer) throw new Error(unknown);
      const claims = signer.claimsIn(token) as Claims;
      const audiences = claims.aud.filter((audience) => targets.includes(audience));
      if (audiences.length === 0)
        throw new Error(`token audiences ${quoted(claims.aud)} is invalid for the target audiences ${quoted(targets)}`);
      const because = await spent(registry, claims);
      if (because !== undefined) throw new Error(because);
      return { user: bearer(claims), audiences };
    },
  };
}
