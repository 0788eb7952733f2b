// Objects that every namespace has: a ConfigMap with the cluster's certificate authority, by which pods verify the API
// server, and the service account "default", which pods that name no account run as.
import { configMaps } from "../../api/core/configmaps.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { ConfigMap, Namespace, ServiceAccount } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, key } from "../../api/meta.ts";
import { type Controller, controller, type Decision, settled, watch } from "../../machinery/controller.ts";

export interface Observed<T> {
  readonly namespace: Namespace;
  readonly object: T | undefined;
}
interface NamespaceObject<T extends ApiObject> {
  readonly account: string;
  readonly kind: ResourceDefinition<T>;
  readonly name: string;
  readonly verbs: readonly string[];
  readonly decide: (observed: Observed<T>) => Decision;
}

const inEveryNamespace = <T extends ApiObject>(
  name: string,
  { account, kind, name: objectName, verbs, decide }: NamespaceObject<T>,
): Controller<Observed<T>> =>
  controller({
    ...{ name, account },
    reconciles: namespaces,
    watches: [
      watch(kind, ({ metadata }) => (metadata.name === objectName ? [key(undefined, metadata.namespace ?? "")] : [])),
    ],
    writes: [{ kind, verbs }],
    observe(views, k) {
      const namespace = views.of(namespaces).get(k);
      return namespace && { namespace, object: views.of(kind).get(key(namespace.metadata.name, objectName)) };
    },
    decide: (observed) => (observed.namespace.metadata.deletionTimestamp === undefined ? decide(observed) : settled),
  });

const describedBy = "kubernetes.io/description";
const description =
  "Verifies the API server of this cluster at its addresses inside: its service and kubernetes.default.svc.";

/** Creates the ConfigMap where it is missing, and restores it where it was changed. `rootCa` is PEM. */
export const rootCaController = (rootCa: string): Controller<Observed<ConfigMap>> =>
  inEveryNamespace("rootca", {
    account: "root-ca-cert-publisher",
    ...{ kind: configMaps, name: "kube-root-ca.crt", verbs: ["create", "update"] },
    decide({ namespace: { metadata: of }, object }) {
      const data = { "ca.crt": rootCa };
      if (object === undefined) {
        const metadata = { name: "kube-root-ca.crt", namespace: of.name, annotations: { [describedBy]: description } };
        return { actions: [{ do: "create", resource: configMaps, draft: { kind: "ConfigMap", metadata, data } }] };
      }
      if (sameJson(object.data, data) && object.metadata.annotations?.[describedBy]) return settled;
      const annotations = { ...object.metadata.annotations, [describedBy]: description };
      const restored = { ...object, metadata: { ...object.metadata, annotations }, data };
      return { actions: [{ do: "update", resource: configMaps, object: restored }] };
    },
  });

export const serviceAccountController: Controller<Observed<ServiceAccount>> = inEveryNamespace("serviceaccount", {
  account: "service-account-controller",
  ...{ kind: serviceAccounts, name: "default", verbs: ["create"] },
  decide({ namespace, object }) {
    if (object) return settled;
    const metadata = { name: "default", namespace: namespace.metadata.name };
    return { actions: [{ do: "create", resource: serviceAccounts, draft: { kind: "ServiceAccount", metadata } }] };
  },
});
