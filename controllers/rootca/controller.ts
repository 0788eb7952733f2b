// Every namespace has a ConfigMap by which its pods know the API server: the certificate of the cluster's authority.
import type { ConfigMap, Namespace } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { key } from "../../api/meta.ts";
import { itself, settled, type Controller, type Decision } from "../../machinery/controller.ts";
import type { Informer } from "../../machinery/informer.ts";

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

/** Makes what is missing, and puts right what somebody has changed. */
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

export const rootCaController = (
  namespaces: Informer<Namespace>,
  published: Informer<ConfigMap>,
  rootCa: string,
): Controller<Observed> => ({
  name: "rootca",
  watches: [
    { informer: namespaces, keys: itself },
    {
      informer: published,
      keys: (c: ConfigMap) => (c.metadata.name === name ? [key(undefined, c.metadata.namespace ?? "")] : []),
    },
  ],
  observe: (k) => {
    const namespace = namespaces.lister.get(k);
    return namespace && { namespace, published: published.lister.get(key(namespace.metadata.name, name)), rootCa };
  },
  decide,
});
