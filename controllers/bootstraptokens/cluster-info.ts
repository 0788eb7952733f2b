// Bootstrap signer: keeps the ConfigMap kube-public/cluster-info, by which a machine that knows a token learns the
// cluster's authority, with a signature (RFC 7515, detached) for every token that may sign.
import { createHmac } from "node:crypto";
import { clusterInfo as place, isTokenSecret, usableToken } from "../../api/core/bootstrap-tokens.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { secrets } from "../../api/core/secrets.ts";
import type { ConfigMap, Secret } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { type Draft, type Instant, key, keyOf } from "../../api/meta.ts";
import { type Controller, controller, type Decision, settled, watch } from "../../machinery/controller.ts";

/** Where joining machines reach the API server, and the authority that signs its certificate, as PEM. */
export interface ClusterEndpoint {
  readonly server: string;
  readonly rootCa: string;
}
export interface Observed {
  readonly info: ConfigMap | undefined;
  /** The secrets of bootstrap tokens. */
  readonly tokens: readonly Secret[];
}

const contentKey = "kubeconfig";
const signaturePrefix = "jws-kubeconfig-";

const encoded = (text: string): string => Buffer.from(text).toString("base64url");

/** The signature of a text by a token: a JSON Web Signature without its content. */
export function detachedSignature(content: string, { id, secret }: { readonly id: string; readonly secret: string }) {
  const header = encoded(JSON.stringify({ alg: "HS256", kid: id }));
  const signature = createHmac("sha256", secret)
    .update(`${header}.${encoded(content)}`)
    .digest("base64url");
  return `${header}..${signature}`;
}

/** A kubeconfig without users. */
const kubeconfigOf = ({ server, rootCa }: ClusterEndpoint): string => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(rootCa).toString("base64")}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`;

const updated = (info: ConfigMap, data: ConfigMap["data"]): Decision => {
  const object: ConfigMap = { ...info, ...(data && { data }) };
  return { actions: [{ do: "update", resource: configMaps, object }] };
};

export const decide =
  (endpoint: ClusterEndpoint) =>
  ({ info, tokens }: Observed, now: Instant): Decision => {
    const content = info ? info.data?.[contentKey] : kubeconfigOf(endpoint);
    if (content === undefined) return settled;
    const usable = tokens.flatMap((secret) => usableToken(secret, "signing", now) ?? []);
    const others = Object.entries(info?.data ?? { [contentKey]: content }).filter(
      ([name]) => !name.startsWith(signaturePrefix),
    );
    const data = Object.fromEntries([
      ...others,
      ...usable.map((token) => [`${signaturePrefix}${token.id}`, detachedSignature(content, token)] as const),
    ]);
    if (!info) {
      const draft: Draft<ConfigMap> = { kind: "ConfigMap", metadata: place, data };
      return { actions: [{ do: "create", resource: configMaps, draft }] };
    }
    return sameJson(info.data, data) ? settled : updated(info, data);
  };

const infoKey = key(place.namespace, place.name);

export const clusterInfoController = (endpoint: ClusterEndpoint): Controller<Observed> =>
  controller({
    name: "bootstrap-signer",
    account: "bootstrap-signer",
    reconciles: configMaps,
    initialKeys: [infoKey],
    keysOf: (object) => (keyOf(object) === infoKey ? [infoKey] : []),
    watches: [
      watch(secrets, (secret) => (isTokenSecret(secret) ? [infoKey] : []), {
        bootstrap: (secret) => (isTokenSecret(secret) ? ["token"] : []),
      }),
    ],
    writes: [
      { kind: configMaps, verbs: ["create"] },
      { kind: configMaps, names: [place.name], verbs: ["update"] },
    ],
    observe: (views) => ({
      info: views.of(configMaps).get(infoKey),
      tokens: views.of(secrets).byIndex("bootstrap", "token"),
    }),
    decide: decide(endpoint),
  });
