// The objects that a pod refers to: ConfigMaps, Secrets and claims. Pure.
import { claimNamesOf } from "../../api/core/pod/claims.ts";
import { configMapNamesOf, secretNamesOf } from "../../api/core/pod/references.ts";
import type {
  ConfigMap,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
  VolumeAttachment,
} from "../../api/generated/types.ts";

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

/** The distinct references in a fixed order. */
export function referencesOf(pod: Pod): readonly Reference[] {
  const ofKind = (kind: Reference["kind"], names: readonly string[]): readonly Reference[] =>
    [...new Set(names)].map((name) => ({ kind, name }));
  return [
    ...ofKind("ConfigMap", configMapNamesOf(pod)),
    ...ofKind("Secret", secretNamesOf(pod)),
    ...ofKind("PersistentVolumeClaim", claimNamesOf(pod)),
  ];
}
