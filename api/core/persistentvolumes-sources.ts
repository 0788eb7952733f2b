// Where the bytes of a persistent volume are, and what that kind of place needs to be told beyond what a pod may tell.
import type { PersistentVolumeSpec, SecretReference } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { validateLabelName, validateSubdomainName } from "../names.ts";
import { required, together } from "../problems.ts";
import { type Source, storageSources, validateStorageSource } from "./pod/storage-sources.ts";

/** The sources that are told; there should be one. */
export const sourcesOf = (spec: PersistentVolumeSpec): readonly (keyof PersistentVolumeSpec)[] =>
  (storageSources as readonly (keyof PersistentVolumeSpec)[]).filter((kind) => spec[kind] !== undefined);

const secretsOfCsi = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
];

/** Unlike a pod, a volume lives in no namespace: its secrets must say theirs. */
function validateSecret({ name, namespace }: SecretReference, path: string): readonly Problem[] {
  return together(
    name ? validateSubdomainName(name, `${path}.name`) : required(`${path}.name`),
    namespace ? validateLabelName(namespace, `${path}.namespace`) : required(`${path}.namespace`),
  );
}

/** What is wrong with the source of a volume. */
export function validatePersistentSource(kind: string, source: Source, path: string): readonly Problem[] {
  const secrets = kind === "csi" ? secretsOfCsi : kind === "cinder" || kind === "storageos" ? ["secretRef"] : [];
  return together(
    validateStorageSource(kind, source, path),
    kind === "csi" && !source["volumeHandle"] && required(`${path}.volumeHandle`),
    secrets.flatMap((field) =>
      source[field] === undefined ? [] : validateSecret(source[field] as SecretReference, `${path}.${field}`),
    ),
  );
}
