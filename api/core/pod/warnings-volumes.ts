// Warnings about removed volume types and overlapping files.
import type { Volume, VolumeProjection } from "../../generated/types.ts";

const removed: Readonly<Record<string, string>> = {
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  gitRepo: "deprecated in v1.11, and disabled by default in v1.33+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  flocker: "deprecated in v1.22, non-functional in v1.25+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
  quobyte: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
};

interface File {
  readonly path: string;
  readonly source: string;
}
type Items = readonly { readonly path: string }[] | undefined;
const filesOf = (items: Items, source = ""): readonly File[] => (items ?? []).map(({ path }) => ({ path, source }));
const shown = ({ path, source }: File): string => JSON.stringify(path) + (source === "" ? "" : ` (${source})`);
const inside = (a: string, b: string): boolean => `${a}/`.startsWith(`${b}/`);

/** Pairs of files of which one is equal to or inside the other. */
function overlaps(all: readonly File[]): readonly string[] {
  if (all.length < 2) return [];
  const files = all.map((file) => ({ ...file, path: file.path.replace(/\/+$/, "") })).filter((f) => f.path !== "");
  return files.flatMap((file, i) =>
    files
      .slice(0, i)
      .filter((other) => inside(file.path, other.path) || inside(other.path, file.path))
      .map((other) => `${shown(file)} with ${shown(other)}`),
  );
}

function projected(s: VolumeProjection): readonly File[] {
  const { clusterTrustBundle: bundle, configMap, downwardAPI, podCertificate: certificate, secret } = s;
  if (configMap?.items) return filesOf(configMap.items, `ConfigMap ${JSON.stringify(configMap.name ?? "")}`);
  if (secret?.items) return filesOf(secret.items, `Secret ${JSON.stringify(secret.name ?? "")}`);
  if (downwardAPI?.items) return filesOf(downwardAPI.items, "DownwardAPI");
  if (s.serviceAccountToken) return [{ path: s.serviceAccountToken.path, source: "ServiceAccountToken" }];
  if (bundle) {
    const name = bundle.name ?? bundle.signerName ?? "";
    return [{ path: bundle.path, source: `ClusterTrustBundle ${JSON.stringify(name)}` }];
  }
  return [
    { path: certificate?.certificateChainPath ?? "", source: "PodCertificate chain" },
    { path: certificate?.keyPath ?? "", source: "PodCertificate key" },
    { path: certificate?.credentialBundlePath ?? "", source: "PodCertificate credential bundle" },
  ];
}

const files = ["configMap", "secret", "downwardAPI", "projected"] as const;

function fileWarnings(v: Volume): readonly string[] {
  if (!files.some((kind) => v[kind])) return [];
  const warn = (kind: string, files: readonly File[], of?: string): readonly string[] =>
    overlaps(files).map((pair) => {
      const source = of === undefined ? kind : `${kind} ${JSON.stringify(of)}`;
      return `volume ${JSON.stringify(v.name)} (${source}): overlapping paths: ${pair}`;
    });
  const sources = v.projected?.sources ?? [];
  return [
    ...warn("ConfigMap", filesOf(v.configMap?.items), v.configMap?.name ?? ""),
    ...warn("Secret", filesOf(v.secret?.items), v.secret?.secretName ?? ""),
    ...warn("DownwardAPI", filesOf(v.downwardAPI?.items)),
    ...sources
      .filter((source) => Object.keys(source).length === 0)
      .map(() => `volume ${JSON.stringify(v.name)} (Projected) has no sources provided`),
    ...warn("Projected", sources.flatMap(projected)),
  ];
}

/** Warnings about the volumes of a pod. */
export const volumeWarnings = (volumes: readonly Volume[], path: string): readonly string[] => [
  ...volumes.flatMap((v, i) =>
    Object.keys(v)
      .filter((kind) => removed[kind] !== undefined)
      .map((kind) => `${path}[${i}].${kind === "storageos" ? "storageOS" : kind}: ${removed[kind]}`),
  ),
  ...volumes.flatMap(fileWarnings),
];
