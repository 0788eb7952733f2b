// Token cleaner: deletes bootstrap tokens that have expired.
import { expirationOf, isTokenSecret } from "../../api/core/bootstrap-tokens.ts";
import { secrets } from "../../api/core/secrets.ts";
import type { Secret } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import { controller, type Decision, itself, settled } from "../../machinery/controller.ts";

export function decide(secret: Secret, now: Instant): Decision {
  const end = expirationOf(secret);
  if (end === undefined || secret.metadata.deletionTimestamp !== undefined) return settled;
  if (now < end) return { actions: [], requeueAfter: end - now };
  return { actions: [{ do: "delete", resource: secrets, object: secret }], because: ["it has expired"] };
}

export const tokenCleaner = controller({
  name: "token-cleaner",
  account: "token-cleaner",
  reconciles: secrets,
  keysOf: (secret) => (isTokenSecret(secret) ? itself(secret) : []),
  writes: [{ kind: secrets, verbs: ["delete"] }],
  observe(views, k) {
    const secret = views.of(secrets).get(k);
    return secret && isTokenSecret(secret) ? secret : undefined;
  },
  decide,
});
