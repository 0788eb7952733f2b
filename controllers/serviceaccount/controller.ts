// Every namespace has a service account named "default": pods that name none run as it.
import type { Namespace, ServiceAccount } from "../../api/generated/types.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { key } from "../../api/meta.ts";
import { itself, settled, type Controller, type Decision } from "../../machinery/controller.ts";
import type { Informer } from "../../machinery/informer.ts";

export interface Observed {
  readonly namespace: Namespace;
  readonly account: ServiceAccount | undefined;
}

export function decide({ namespace, account }: Observed): Decision {
  if (account !== undefined || namespace.metadata.deletionTimestamp !== undefined) return settled;
  const draft = { kind: "ServiceAccount" as const, metadata: { name: "default", namespace: namespace.metadata.name } };
  return { actions: [{ do: "create", resource: serviceAccounts, draft }] };
}

export const serviceAccountController = (
  namespaces: Informer<Namespace>,
  accounts: Informer<ServiceAccount>,
): Controller<Observed> => ({
  name: "serviceaccount",
  watches: [
    { informer: namespaces, keys: itself },
    {
      informer: accounts,
      keys: (a: ServiceAccount) => (a.metadata.name === "default" ? [key(undefined, a.metadata.namespace ?? "")] : []),
    },
  ],
  observe: (k) => {
    const namespace = namespaces.lister.get(k);
    return namespace && { namespace, account: accounts.lister.get(key(namespace.metadata.name, "default")) };
  },
  decide,
});
