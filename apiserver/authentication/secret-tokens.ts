// Authenticates service accounts by the token in a secret: valid for as long as the secret holds it. The day of its
// last use is a label of the secret.
import { timingSafeEqual } from "node:crypto";
import {
  invalidSinceLabel,
  lastUsedLabel,
  type SecretTokenClaims,
  secretTokenIssuer,
} from "../../api/core/service-account-tokens.ts";
import { secrets } from "../../api/core/secrets.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Secret } from "../../api/generated/types.ts";
import { type ApiObject, type Instant, keyOf, key } from "../../api/meta.ts";
import { expiringCache } from "../../machinery/expiring-cache.ts";
import type { User } from "../authorization/authorizer.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { notFound } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import type { Present } from "../storage/storage.ts";
import { accountGroups, accountName } from "./claims.ts";
import type { SigningKey } from "./signing.ts";

interface Holder {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly secretName: string;
}

const prefix = "kubernetes.io/serviceaccount/";
/** Who the claims are of. Throws when one is missing, or the subject is another. */
function holderOf(claims: Partial<SecretTokenClaims>): Holder {
  const claim = (name: string, shown: string): string => {
    const value = (claims as Readonly<Record<string, unknown>>)[name];
    if (typeof value !== "string" || value === "") throw new Error(`${shown} claim is missing`);
    return value;
  };
  const subject = claim("sub", "sub");
  const holder = {
    namespace: claim(`${prefix}namespace`, "namespace"),
    secretName: claim(`${prefix}secret.name`, "secretName"),
    name: claim(`${prefix}service-account.name`, "serviceAccountName"),
    uid: claim(`${prefix}service-account.uid`, "serviceAccountUID"),
  };
  if (subject !== accountName(holder.namespace, holder.name)) throw new Error("sub claim is invalid");
  return holder;
}

const find = <T extends ApiObject>(
  present: Present,
  r: ResourceDefinition<T>,
  namespace: string,
  name: string,
): T | undefined => {
  const stored = present.get(prefixOf(r as unknown as ResourceDefinition) + key(namespace, name));
  return stored && objectOf<T>(stored);
};

/** The secret that holds the token. Throws why the token does not count. */
function holdingSecret(present: Present, token: string, { namespace, name, uid, secretName }: Holder): Secret {
  const secret = find(present, secrets, namespace, secretName);
  if (!secret || secret.metadata.deletionTimestamp) throw new Error("Token has been invalidated");
  const [kept, sent] = [Buffer.from(secret.data?.["token"] ?? "", "base64"), Buffer.from(token)];
  if (kept.length !== sent.length || !timingSafeEqual(kept, sent))
    throw new Error("Token does not match server's copy");
  const account = find(present, serviceAccounts, namespace, name);
  if (!account) throw notFound(serviceAccounts, name);
  if (account.metadata.deletionTimestamp) throw new Error(`ServiceAccount ${namespace}/${name} has been deleted`);
  if (account.metadata.uid !== uid)
    throw new Error(`ServiceAccount UID (${account.metadata.uid}) does not match claim (${uid})`);
  return secret;
}

const dayMs = 86_400_000;
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Labels the secret with the day, at most once a day. The servers of a cluster need not agree on the hour. */
async function recordUse({ change, world }: Registry, secret: Secret, now: Instant): Promise<void> {
  const lastUsed = secret.metadata.labels?.[lastUsedLabel];
  if (lastUsed === dayOf(now) || lastUsed === dayOf(now + dayMs)) return;
  const labelled = (current: ApiObject): ApiObject => {
    const { metadata } = current;
    if (metadata.uid !== secret.metadata.uid) return current;
    return { ...current, metadata: { ...metadata, labels: { ...metadata.labels, [lastUsedLabel]: dayOf(now) } } };
  };
  const r = secrets as unknown as ResourceDefinition;
  await change({ r, key: keyOf(secret), subresource: undefined }, labelled).catch((e: unknown) =>
    world.log("the last use of a token could not be recorded", {
      secret: keyOf(secret),
      error: (e as Error).message,
    }),
  );
}

/** How long a verified signature is not verified again. */
const verifiedMs = 600_000;

/** Authenticates by tokens in secrets. Throws why one does not count. */
export function secretTokens(registry: Registry, signer: SigningKey): (token: string) => Promise<User> {
  const { clock } = registry.world;
  const verified = expiringCache<Holder>(clock);
  const holder = (token: string): Holder => {
    const known = verified.get(token);
    if (known) return known;
    const found = holderOf(signer.claimsIn(token) as Partial<SecretTokenClaims>);
    verified.set(token, found, verifiedMs);
    return found;
  };
  return async (token) => {
    const of = holder(token);
    const { namespace, name, uid } = of;
    const secret = holdingSecret(await registry.present(), token, of);
    await recordUse(registry, secret, clock.now());
    if (secret.metadata.labels?.[invalidSinceLabel])
      throw new Error(
        `the token in secret ${namespace}/${of.secretName} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${invalidSinceLabel}' label from the secret to temporarily allow use of this token`,
      );
    return { name: accountName(namespace, name), uid, groups: [...accountGroups(namespace), "system:authenticated"] };
  };
}

/** Whether a claimed issuer is that of tokens in secrets. */
export const isOfSecret = (issuer: string | undefined): boolean => issuer === secretTokenIssuer;
