// The Secrets and ConfigMaps that a pod names, in its own namespace. Pure.
import type { EnvFromSource, EnvVarSource, Pod, Volume } from "../../generated/types.ts";

/** A name, or several, at some place of a pod; empty and absent ones are none. */
type Names = readonly (string | undefined)[];
const distinct = (names: Names): readonly string[] => [...new Set(names.filter((name) => name))] as string[];

const containersOf = ({ spec }: Pod) => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
];
/** What `read` finds in the environments of all containers. */
const inEnvironments = (pod: Pod, read: (source: EnvFromSource & EnvVarSource) => string | undefined): Names =>
  containersOf(pod).flatMap((c) => [
    ...(c.envFrom ?? []).map(read),
    ...(c.env ?? []).flatMap(({ valueFrom }) => (valueFrom ? [read(valueFrom)] : [])),
  ]);

/** Credentials of storage that a volume is mounted with. */
const credentialsOf = (v: Volume): Names => [
  v.azureFile?.secretName,
  v.csi?.nodePublishSecretRef?.name,
  ...[v.cephfs, v.cinder, v.flexVolume, v.iscsi, v.rbd, v.scaleIO, v.storageos].map((s) => s?.secretRef?.name),
];

/** The Secrets that a pod's containers, volumes and image pulls need. */
export const secretNamesOf = (pod: Pod): readonly string[] =>
  distinct([
    ...(pod.spec.imagePullSecrets ?? []).map(({ name }) => name),
    ...inEnvironments(pod, ({ secretRef, secretKeyRef }) => secretRef?.name ?? secretKeyRef?.name),
    ...(pod.spec.volumes ?? []).flatMap((v) => [
      v.secret?.secretName,
      ...(v.projected?.sources ?? []).map(({ secret }) => secret?.name),
      ...credentialsOf(v),
    ]),
  ]);

/** The ConfigMaps that a pod's containers and volumes need. */
export const configMapNamesOf = (pod: Pod): readonly string[] =>
  distinct([
    ...inEnvironments(pod, ({ configMapRef, configMapKeyRef }) => configMapRef?.name ?? configMapKeyRef?.name),
    ...(pod.spec.volumes ?? []).flatMap((v) => [
      v.configMap?.name,
      ...(v.projected?.sources ?? []).map(({ configMap }) => configMap?.name),
    ]),
  ]);
