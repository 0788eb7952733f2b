// The claims of a service account token: subject, audiences, expiry, and the objects it is bound to. Pure.
import { type ApiObject, type Instant, instantOf } from "../../api/meta.ts";
import type { User } from "../authorization/authorizer.ts";

/** An object as a token names it. */
export interface Named {
  readonly name: string;
  readonly uid?: string;
}
/** The object a token is bound to: the token is invalid when the object is deleted. */
export interface Bound {
  readonly node?: Named;
  readonly pod?: Named;
  readonly secret?: Named;
}
/** The body of a token. Times are in seconds. */
export interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly "kubernetes.io": Bound & {
    readonly namespace: string;
    readonly serviceaccount: Named;
    readonly warnafter?: number;
  };
  readonly nbf: number;
  readonly sub: string;
}

/** The user name of a service account. */
export const accountName = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;
/** The groups every service account of a namespace is in. */
export const accountGroups = (namespace: string): readonly string[] => [
  "system:serviceaccounts",
  `system:serviceaccounts:${namespace}`,
];

/** An object, as a token names it. */
export const named = ({ metadata: { name, uid } }: ApiObject): Named => ({ name, uid });

/** How a token is to be made. */
export interface TokenParameters {
  readonly issuer: string;
  /** The unique id of the token. */
  readonly id: string;
  readonly audiences: readonly string[];
  readonly seconds: number;
  readonly bound: Bound;
  /** After so many seconds its use is warned about, though it still counts. */
  readonly warnAfter?: number;
}

/** The claims of a new token. */
export function claimsOf(
  account: ApiObject,
  { issuer, id, audiences, seconds, bound, warnAfter }: TokenParameters,
  now: Instant,
): Claims {
  const { name, namespace = "" } = account.metadata;
  const at = Math.floor(now / 1000);
  return {
    aud: audiences,
    exp: at + seconds,
    iat: at,
    iss: issuer,
    jti: id,
    "kubernetes.io": {
      namespace,
      ...bound,
      serviceaccount: named(account),
      ...(warnAfter !== undefined && { warnafter: at + warnAfter }),
    },
    nbf: at,
    sub: accountName(namespace, name),
  };
}

/** Clocks differ: so many seconds more or less are overlooked. */
const leeway = 60;

/** Why a token does not count at this time, if it does not. */
export function untimely({ exp, nbf, iat }: Claims, now: Instant): string | undefined {
  const at = now / 1000;
  if (at - leeway > exp) return "service account token has expired";
  if (at + leeway < nbf) return "service account token is not valid yet";
  return at + leeway < iat ? "service account token is issued in the future" : undefined;
}

/** Whether an object was deleted longer ago than the allowed clock skew. */
const isGone = ({ metadata: { deletionTimestamp: at } }: ApiObject, now: Instant): boolean =>
  at !== undefined && instantOf(at) < now - leeway * 1000;

/** Why a token does not count any more, seeing the account it names. */
export function disowned(claims: Claims, account: ApiObject, now: Instant): string | undefined {
  const { namespace, serviceaccount } = claims["kubernetes.io"];
  const { uid } = account.metadata;
  if (isGone(account, now)) return `service account ${namespace}/${serviceaccount.name} has been deleted`;
  return uid === serviceaccount.uid
    ? undefined
    : `service account UID (${uid}) does not match claim (${serviceaccount.uid})`;
}

/** Why a token does not count any more, seeing what it is bound to, if that is still there. */
export function unbound(
  what: keyof Bound,
  { uid }: Named,
  object: ApiObject | undefined,
  now: Instant,
): string | undefined {
  if (!object || isGone(object, now)) return "service account token has been invalidated";
  if (object.metadata.uid === uid) return undefined;
  return `${what} UID (${object.metadata.uid}) does not match service account ${what} ref claim (${uid})`;
}

/** The user of a token. */
export function bearer({ jti, "kubernetes.io": { namespace, serviceaccount, pod, node } }: Claims): User {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["credential-id", jti && `JTI=${jti}`],
    ["node-name", node?.name],
    ["node-uid", node?.uid],
    ["pod-name", pod?.name],
    ["pod-uid", pod?.uid],
  ];
  const extra = facts.flatMap(([key, value]) =>
    value ? [[`authentication.kubernetes.io/${key}`, [value]] as const] : [],
  );
  return {
    name: accountName(namespace, serviceaccount.name),
    ...(serviceaccount.uid !== undefined && { uid: serviceaccount.uid }),
    groups: [...accountGroups(namespace), "system:authenticated"],
    extra: Object.fromEntries(extra),
  };
}
