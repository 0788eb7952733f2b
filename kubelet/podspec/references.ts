// The objects that a pod refers to: ConfigMaps, Secrets and claims. Pure.
import { claimNamesOf } from "../../api/core/pod/claims.ts";
import type {
  ConfigMap,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
  Volume,
  VolumeAttachment,
} from "../../api/generated/types.ts";
import { allContainersOf } from "./containers.ts";

export interface Reference {
  readonly kind: "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "PersistentVolume" | "VolumeAttachment";
  readonly name: string;
}

/** Looks up objects of the pod's namespace. */
export interface Lookup {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}
/** Also looks up the claims of the pod's namespace, their volumes, and the attachments of these. */
export interface VolumeLookup extends Lookup {
  claim(name: string): PersistentVolumeClaim | undefined;
  persistentVolume(name: string): PersistentVolume | undefined;
  attachment(name: string): VolumeAttachment | undefined;
}

/** A requirement of a pod is not met; the message is for the user. */
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

/** The distinct references in a fixed order. */
export function referencesOf(pod: Pod): readonly Reference[] {
  const all = [
    ...(pod.spec.volumes ?? []).flatMap(ofVolume),
    ...claimNamesOf(pod).map((name): Reference => ({ kind: "PersistentVolumeClaim", name })),
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
