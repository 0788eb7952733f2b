// TokenRequest: issues a token for a service account. It is created through a subresource only.
import type { AuthenticationV1TokenRequest as TokenRequest } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import { invalid } from "../problems.ts";
import { serviceAccounts } from "../core/serviceaccounts.ts";

export type { AuthenticationV1TokenRequest as TokenRequest } from "../generated/types.ts";

const usualSeconds = 3600;
const shortestSeconds = 600;
const longestSeconds = 2 ** 32;

function validateSeconds(seconds: number): readonly Problem[] {
  const path = "spec.expirationSeconds";
  if (seconds < shortestSeconds) return [invalid(path, seconds, "may not specify a duration less than 10 minutes")];
  if (seconds <= longestSeconds) return [];
  return [invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")];
}

/** Not in the table of kinds, because it cannot be listed. */
export const tokenRequests = define<TokenRequest>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenRequest",
  plural: "tokenrequests",
  scope: "Namespaced",
  virtual: "review",
  subresourceOf: { of: serviceAccounts, subresource: "token" },
  validate: (t) => validateSeconds(t.spec.expirationSeconds ?? usualSeconds),
});
