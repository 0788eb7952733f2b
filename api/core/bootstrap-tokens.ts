// Bootstrap tokens: short secrets by which machines join a cluster, kept as Secrets in kube-system. Source: the page
// "Authenticating with Bootstrap Tokens" of the Kubernetes documentation.
import type { Secret } from "../generated/types.ts";
import { type Instant, instant } from "../meta.ts";

/** The namespace and the type of their secrets. */
export const tokenNamespace = "kube-system";
export const bootstrapTokenType = "bootstrap.kubernetes.io/token";
const namePrefix = "bootstrap-token-";

/** What a token may be used for. */
export type TokenUsage = "authentication" | "signing";
/** A token, of which the id is public. */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
}

/** The group of all that authenticate by a bootstrap token. */
const bootstrappers = "system:bootstrappers";
const extraGroup = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Reads `ID.SECRET`; undefined for text of another form. */
export function parseBootstrapToken(text: string): BootstrapToken | undefined {
  const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

export const tokenSecretName = (id: string): string => `${namePrefix}${id}`;

/** Whether a secret is one of a bootstrap token, by its type and place. */
export const isTokenSecret = ({ type, metadata }: Secret): boolean =>
  type === bootstrapTokenType && metadata.namespace === tokenNamespace;

/** A field of the secret as text; empty when it is missing or malformed. */
export function tokenField({ data }: Secret, name: string): string {
  try {
    return atob(data?.[name] ?? "");
  } catch {
    return "";
  }
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** When the token expires; undefined for never. A time that cannot be read is long past. */
export function expirationOf(secret: Secret): Instant | undefined {
  const text = tokenField(secret, "expiration");
  if (text === "") return undefined;
  const at = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  return instant(Number.isNaN(at) ? 0 : at);
}

/** The token of a secret whose name and content agree, if it has not expired and may be used for this. */
export function usableToken(secret: Secret, usage: TokenUsage, now: Instant): BootstrapToken | undefined {
  const [id, text] = [tokenField(secret, "token-id"), tokenField(secret, "token-secret")];
  const end = expirationOf(secret);
  const isUsable =
    isTokenSecret(secret) &&
    secret.metadata.deletionTimestamp === undefined &&
    id !== "" &&
    text !== "" &&
    secret.metadata.name === tokenSecretName(id) &&
    (end === undefined || now < end) &&
    tokenField(secret, `usage-bootstrap-${usage}`) === "true";
  return isUsable ? { id, secret: text } : undefined;
}

/** The groups of a token's user; undefined when its extra groups are malformed. */
export function tokenGroups(secret: Secret): readonly string[] | undefined {
  const text = tokenField(secret, "auth-extra-groups");
  const extra = text === "" ? [] : text.split(",");
  if (!extra.every((group) => extraGroup.test(group))) return undefined;
  return [...new Set([bootstrappers, ...extra])].toSorted();
}
