// Tokens controller: fills secrets of the type kubernetes.io/service-account-token, and deletes those of accounts that
// do not exist. That is looked up in the API server, as a secret may be seen before the account created ahead of it.
import {
  accountAnnotations,
  accountOfTokenSecret,
  isTokenSecretOf,
  secretTokenClaims,
} from "../../api/core/service-account-tokens.ts";
import { secrets } from "../../api/core/secrets.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { hasReason } from "../../api/errors.ts";
import type { Secret, ServiceAccount } from "../../api/generated/types.ts";
import { type Key, key, keyOf } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { type Controller, controller, type Decision, itself, settled, watch } from "../../machinery/controller.ts";

export interface Observed {
  readonly secret: Secret;
  readonly account: ServiceAccount | undefined;
}
/** What secrets are filled with. */
export interface TokenContent {
  /** The certificate of the cluster's authority, as PEM. */
  readonly rootCa: string;
  /** Signs claims as a token. */
  readonly sign: (claims: object) => string;
}

const encoded = (text: string): string => Buffer.from(text).toString("base64");
const accountKey = (secret: Secret): Key | undefined => {
  const name = accountOfTokenSecret(secret);
  return name === undefined ? undefined : key(secret.metadata.namespace, name);
};

/** Completes the content; a token that is there is kept. */
function filled(secret: Secret, account: ServiceAccount, { rootCa, sign }: TokenContent): Decision {
  const { data = {}, metadata } = secret;
  const missing = {
    ...(data["ca.crt"] !== encoded(rootCa) && { "ca.crt": encoded(rootCa) }),
    ...(!data["namespace"] && { namespace: encoded(metadata.namespace ?? "") }),
    ...(!data["token"] && { token: encoded(sign(secretTokenClaims(account, secret))) }),
  };
  const names = Object.keys(missing);
  if (names.length === 0) return settled;
  const annotations = {
    ...metadata.annotations,
    [accountAnnotations.name]: account.metadata.name,
    [accountAnnotations.uid]: account.metadata.uid,
  };
  const object = { ...secret, metadata: { ...metadata, annotations }, data: { ...data, ...missing } };
  return { actions: [{ do: "update", resource: secrets, object }], because: [`it lacks ${names.join(", ")}`] };
}

/** The pause before a view is read again that lags behind the API server. */
const lagMs = 200;

/** Deletes the secret, unless its account exists. */
async function deletedUnlessOwned(client: Client, secret: Secret): Promise<Decision> {
  const account = await client.get(serviceAccounts, accountKey(secret)!).catch((e: unknown) => {
    if (hasReason(e, "NotFound")) return undefined;
    throw e;
  });
  if (account && isTokenSecretOf(secret, account)) return { actions: [], requeueAfter: lagMs };
  const options = { uid: secret.metadata.uid };
  return {
    actions: [{ do: "delete", resource: secrets, object: secret, options }],
    because: ["its service account does not exist"],
  };
}

export const decide =
  (client: Client, content: TokenContent) =>
  ({ secret, account }: Observed): Decision => {
    if (secret.metadata.deletionTimestamp !== undefined) return settled;
    if (account && isTokenSecretOf(secret, account)) return filled(secret, account, content);
    const description = `delete secret ${keyOf(secret)} unless its service account exists`;
    return { actions: [], effect: { description, run: () => deletedUnlessOwned(client, secret) } };
  };

export const serviceAccountTokenController = (client: Client, content: TokenContent): Controller<Observed> =>
  controller({
    name: "serviceaccount-token",
    account: "tokens-controller",
    reconciles: secrets,
    keysOf: (secret) => (accountKey(secret) === undefined ? [] : itself(secret)),
    indexes: { account: (secret) => [accountKey(secret) ?? []].flat() },
    watches: [
      watch(serviceAccounts, (account, { views }) => views.of(secrets).byIndex("account", keyOf(account)).map(keyOf)),
    ],
    writes: [
      { kind: secrets, verbs: ["delete", "update"] },
      { kind: serviceAccounts, verbs: ["get"] },
    ],
    observe(views, k) {
      const secret = views.of(secrets).get(k);
      const of = secret && accountKey(secret);
      return of && { secret, account: views.of(serviceAccounts).get(of) };
    },
    decide: decide(client, content),
  });
