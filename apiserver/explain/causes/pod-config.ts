// ConfigMaps and Secrets that a pod needs and that are missing. Pure.
import { configMaps } from "../../../api/core/configmaps.ts";
import { secrets } from "../../../api/core/secrets.ts";
import type { Cause } from "../../../api/explanation/explanation.ts";
import type { Pod } from "../../../api/generated/types.ts";
import { command, referenceByName } from "../finding.ts";

export interface ConfigReference {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
}

interface Named {
  readonly name?: string;
  readonly optional?: boolean;
}
const required = (kind: ConfigReference["kind"], source: Named | undefined): readonly ConfigReference[] =>
  source?.name && source.optional !== true ? [{ kind, name: source.name }] : [];

/** What has to exist before the containers of the pod can be created. */
export function requiredConfig(pod: Pod): readonly ConfigReference[] {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const ofEnvironments = containers.flatMap((c) => [
    ...(c.envFrom ?? []).flatMap((e) => [...required("ConfigMap", e.configMapRef), ...required("Secret", e.secretRef)]),
    ...(c.env ?? []).flatMap(({ valueFrom: from }) => [
      ...required("ConfigMap", from?.configMapKeyRef),
      ...required("Secret", from?.secretKeyRef),
    ]),
  ]);
  const ofVolumes = (pod.spec.volumes ?? []).flatMap((v) => [
    ...required("ConfigMap", v.configMap),
    ...required("Secret", v.secret && { ...v.secret, ...(v.secret.secretName && { name: v.secret.secretName }) }),
    ...(v.projected?.sources ?? []).flatMap((s) => [
      ...required("ConfigMap", s.configMap),
      ...required("Secret", s.secret),
    ]),
  ]);
  return [...new Map([...ofEnvironments, ...ofVolumes].map((r) => [`${r.kind} ${r.name}`, r])).values()];
}

/** The cause of a pod whose ConfigMap or Secret does not exist. */
export function configNotFound({ metadata: { namespace } }: Pod, { kind, name }: ConfigReference): Cause {
  const create =
    kind === "ConfigMap"
      ? `create configmap ${name} --from-literal=KEY=VALUE`
      : `create secret generic ${name} --from-literal=KEY=VALUE`;
  return {
    reason: `${kind}NotFound`,
    message: `the ${kind} "${name}", which the pod needs, does not exist`,
    object: referenceByName(kind === "ConfigMap" ? configMaps : secrets, namespace, name),
    next: `create it: ${command(create, namespace)}`,
  };
}

const notFound = /\b(configmap|secret)s? "([^"]+)" not found/i;
const noKey = /(?:couldn't find key (\S+) in |references non-existent config key: )/i;
const holder = /\b(ConfigMap|Secret) ([^\s/]+)\/(\S+)/i;
const kindOf = (word: string): ConfigReference["kind"] => (/config/i.test(word) ? "ConfigMap" : "Secret");

/** The cause in a kubelet's message about a ConfigMap or a Secret, if it is about one. */
export function missingConfig(pod: Pod, message: string): Cause | undefined {
  const [, word, name] = notFound.exec(message) ?? [];
  if (word !== undefined && name !== undefined) return configNotFound(pod, { kind: kindOf(word), name });
  const [, of, , object] = noKey.test(message) ? (holder.exec(message) ?? []) : [];
  if (of === undefined || object === undefined) return undefined;
  const { namespace } = pod.metadata;
  const kind = kindOf(of);
  return {
    reason: `${kind}KeyNotFound`,
    message: `the ${kind} "${object}" lacks a key that the pod needs: ${message}`,
    object: referenceByName(kind === "ConfigMap" ? configMaps : secrets, namespace, object),
    next: `add the key: ${command(`edit ${kind.toLowerCase()} ${object}`, namespace)}`,
  };
}
