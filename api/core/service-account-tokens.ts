// Secrets that hold the token of a service account without an end: their annotations, labels and content. Pure.
import type { Secret, ServiceAccount } from "../generated/types.ts";

/** The type of such a secret. */
const secretType = "kubernetes.io/service-account-token";
/** Annotations that name the account. The uid may be left out; then the secret is of whichever account has the name. */
export const accountAnnotations = {
  name: "kubernetes.io/service-account.name",
  uid: "kubernetes.io/service-account.uid",
} as const;
/** The label with the last day (UTC) on which its token was used. */
export const lastUsedLabel = "kubernetes.io/legacy-token-last-used";
/** The label with the day since which its token counts no more. */
export const invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since";

/** The issuer of these tokens, in every cluster. */
export const secretTokenIssuer = "kubernetes/serviceaccount";
/** The claims of such a token. It has no expiry and no audience. */
export interface SecretTokenClaims {
  readonly iss: typeof secretTokenIssuer;
  readonly sub: string;
  readonly "kubernetes.io/serviceaccount/namespace": string;
  readonly "kubernetes.io/serviceaccount/secret.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.uid": string;
}

/** The name of the account that a secret holds the token of; undefined for other secrets. */
export const accountOfTokenSecret = ({ type, metadata }: Secret): string | undefined =>
  type === secretType ? metadata.annotations?.[accountAnnotations.name] || undefined : undefined;

/** Whether a secret that names the account means this one, and not a former one of its name. */
export function isTokenSecretOf({ metadata: { annotations = {} } }: Secret, account: ServiceAccount): boolean {
  const uid = annotations[accountAnnotations.uid];
  return !uid || uid === account.metadata.uid;
}

/** The claims of the token in a secret. */
export const secretTokenClaims = (
  { metadata: { name, namespace = "", uid } }: ServiceAccount,
  secret: Secret,
): SecretTokenClaims => ({
  iss: secretTokenIssuer,
  "kubernetes.io/serviceaccount/namespace": namespace,
  "kubernetes.io/serviceaccount/secret.name": secret.metadata.name,
  "kubernetes.io/serviceaccount/service-account.name": name,
  "kubernetes.io/serviceaccount/service-account.uid": uid,
  sub: `system:serviceaccount:${namespace}:${name}`,
});
