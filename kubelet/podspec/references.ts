// Which ConfigMaps and Secrets a pod speaks of, and how they are looked up once they are at hand. Pure.
import type { ConfigMap, Pod, Secret, Volume } from "../../api/generated/types.ts";
import { allContainersOf } from "./containers.ts";

export interface Reference {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
}

/** What is known of the pod's namespace at this moment. */
export interface Lookup {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

/** Something a pod needs and that is not as it should be: the message is for the user. */
export class Unmet extends Error {
  override readonly name = "Unmet";
}

const configMap = (name: string | undefined): readonly Reference[] => (name ? [{ kind: "ConfigMap", name }] : []);
const secret = (name: string | undefined): readonly Reference[] => (name ? [{ kind: "Secret", name }] : []);

const ofVolume = (v: Volume): readonly Reference[] => [
  ...configMap(v.configMap?.name),
  ...secret(v.secret?.secretName),
  ...(v.projected?.sources ?? []).flatMap((s) => [...configMap(s.configMap?.name), ...secret(s.secret?.name)]),
];

/** Each reference once, in a fixed order. */
export function referencesOf(pod: Pod): readonly Reference[] {
  const all = [
    ...(pod.spec.volumes ?? []).flatMap(ofVolume),
    ...(pod.spec.imagePullSecrets ?? []).flatMap((s) => secret(s.name)),
    ...allContainersOf(pod).flatMap((c) => [
      ...(c.envFrom ?? []).flatMap((e) => [...configMap(e.configMapRef?.name), ...secret(e.secretRef?.name)]),
      ...(c.env ?? []).flatMap((e) => [
        ...configMap(e.valueFrom?.configMapKeyRef?.name),
        ...secret(e.valueFrom?.secretKeyRef?.name),
      ]),
    ]),
  ];
  return [...new Map(all.map((r) => [`${r.kind}/${r.name}`, r])).values()];
}
