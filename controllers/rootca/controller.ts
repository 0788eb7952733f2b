// Publishes the cluster's certificate authority in a ConfigMap of every namespace: pods verify the API server by it.
import type { ConfigMap, Namespace } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { key } from "../../api/meta.ts";
import { type Controller, controller, type Decision, settled, watch } from "../../machinery/controller.ts";

const name = "kube-root-ca.crt";
const describedBy = "kubernetes.io/description";
const description =
  "Verifies the API server of this cluster at its addresses inside: its service and kubernetes.default.svc.";

export interface Observed {
  readonly namespace: Namespace;
  readonly published: ConfigMap | undefined;
  /** The certificate, as PEM. */
  readonly rootCa: string;
}

/** Creates the ConfigMap where it is missing, and restores it where it was changed. */
export function decide({ namespace, published, rootCa }: Observed): Decision {
  if (namespace.metadata.deletionTimestamp !== undefined) return settled;
  const data = { "ca.crt": rootCa };
  if (published === undefined) {
    const metadata = { name, namespace: namespace.metadata.name, annotations: { [describedBy]: description } };
    return { actions: [{ do: "create", resource: configMaps, draft: { kind: "ConfigMap", metadata, data } }] };
  }
  if (sameJson(published.data, data) && published.metadata.annotations?.[describedBy]) return settled;
  const annotations = { ...published.metadata.annotations, [describedBy]: description };
  const object = { ...published, metadata: { ...published.metadata, annotations }, data };
  return { actions: [{ do: "update", resource: configMaps, object }] };
}

export const rootCaController = (rootCa: string): Controller<Observed> =>
  controller({
    name: "rootca",
    reconciles: namespaces,
    watches: [
      watch(configMaps, ({ metadata }: ConfigMap) =>
        metadata.name === name ? [key(undefined, metadata.namespace ?? "")] : [],
      ),
    ],
    writes: [{ kind: configMaps, verbs: ["create", "update"] }],
    observe(views, k) {
      const namespace = views.of(namespaces).get(k);
      return (
        namespace && { namespace, published: views.of(configMaps).get(key(namespace.metadata.name, name)), rootCa }
      );
    },
    decide,
  });
