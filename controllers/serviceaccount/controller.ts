// Creates the service account "default" in every namespace: pods that name no account run as it.
import type { Namespace, ServiceAccount } from "../../api/generated/types.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { key } from "../../api/meta.ts";
import { controller, type Decision, settled, watch } from "../../machinery/controller.ts";

export interface Observed {
  readonly namespace: Namespace;
  readonly account: ServiceAccount | undefined;
}

export function decide({ namespace, account }: Observed): Decision {
  if (account !== undefined || namespace.metadata.deletionTimestamp !== undefined) return settled;
  const draft = { kind: "ServiceAccount" as const, metadata: { name: "default", namespace: namespace.metadata.name } };
  return { actions: [{ do: "create", resource: serviceAccounts, draft }] };
}

export const serviceAccountController = controller({
  name: "serviceaccount",
  reconciles: namespaces,
  watches: [
    watch(serviceAccounts, ({ metadata }: ServiceAccount) =>
      metadata.name === "default" ? [key(undefined, metadata.namespace ?? "")] : [],
    ),
  ],
  writes: [{ kind: serviceAccounts, verbs: ["create"] }],
  observe(views, k) {
    const namespace = views.of(namespaces).get(k);
    return namespace && { namespace, account: views.of(serviceAccounts).get(key(namespace.metadata.name, "default")) };
  },
  decide,
});
