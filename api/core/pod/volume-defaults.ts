// What Kubernetes fills in when the author of a volume leaves it out.
import type { ObjectFieldSelector, Volume, VolumeProjection } from "../../generated/types.ts";
import { pullPolicy } from "./images.ts";

const publicMode = 0o644;
const tokenSeconds = 3600;

type Fields = { readonly fieldRef?: ObjectFieldSelector };
const withVersion = <T extends Fields>(item: T): T =>
  item.fieldRef ? { ...item, fieldRef: { apiVersion: "v1", ...item.fieldRef } } : item;

const projection = (s: VolumeProjection): VolumeProjection => ({
  ...s,
  ...(s.downwardAPI?.items && { downwardAPI: { ...s.downwardAPI, items: s.downwardAPI.items.map(withVersion) } }),
  ...(s.serviceAccountToken && {
    serviceAccountToken: {
      ...s.serviceAccountToken,
      expirationSeconds: s.serviceAccountToken.expirationSeconds ?? tokenSeconds,
    },
  }),
});

/** Sources of which only some fields have defaults. */
const bySource = {
  secret: { defaultMode: publicMode },
  configMap: { defaultMode: publicMode },
  downwardAPI: { defaultMode: publicMode },
  projected: { defaultMode: publicMode },
  hostPath: { type: "" },
  iscsi: { iscsiInterface: "default" },
  rbd: { keyring: "/etc/ceph/keyring", pool: "rbd", user: "admin" },
  azureDisk: { cachingMode: "ReadWrite", fsType: "ext4", kind: "Shared", readOnly: false },
  scaleIO: { fsType: "xfs", storageMode: "ThinProvisioned" },
} as const;

/** The sources with their defaults, of pods and of persistent volumes. */
export function sourceDefaults<T extends object>(sources: T): T {
  const known = Object.entries(bySource).filter(([kind]) => (sources as Record<string, unknown>)[kind] !== undefined);
  const filled = known.map(([kind, otherwise]) => [
    kind,
    { ...otherwise, ...((sources as Record<string, unknown>)[kind] as object) },
  ]);
  return { ...sources, ...Object.fromEntries(filled) };
}

/** A volume of which nothing is said is an empty directory. */
export function volumeDefaults(given: Volume): Volume {
  if (Object.keys(given).every((field) => field === "name")) return { ...given, emptyDir: {} };
  const v = sourceDefaults(given);
  const { downwardAPI, ephemeral, image, projected } = v;
  const claim = ephemeral?.volumeClaimTemplate;
  return {
    ...v,
    ...(downwardAPI?.items && { downwardAPI: { ...downwardAPI, items: downwardAPI.items.map(withVersion) } }),
    ...(projected?.sources && { projected: { ...projected, sources: projected.sources.map(projection) } }),
    ...(image && { image: { ...image, pullPolicy: image.pullPolicy || pullPolicy(image.reference) } }),
    ...(claim && {
      ephemeral: { ...ephemeral, volumeClaimTemplate: { ...claim, spec: { volumeMode: "Filesystem", ...claim.spec } } },
    }),
  };
}
