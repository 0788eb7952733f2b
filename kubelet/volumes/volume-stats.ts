// How full the volumes of claims are, as the stats Summary and the kubelet's metrics show it. Drivers measure theirs
// (CSI: NodeGetVolumeStats), as seldom as for Kubernetes' kubelet, because they may count files.
import { statfs } from "node:fs/promises";
import type { Pod, Volume } from "../../api/generated/types.ts";
import { type Instant, timestamp } from "../../api/meta.ts";
import type { World } from "../../machinery/world.ts";
import { Unmet, type VolumeLookup } from "../podspec/references.ts";
import { type ClaimedVolume, claimed, claimNameOf, hasClaims } from "./claims.ts";
import type { CsiMounter } from "./csi/mounter.ts";
import type { VolumeUsage } from "./csi/usage.ts";
import { csiVolumeOf } from "./csi/volume.ts";
import { localPath } from "./local-devices.ts";

export interface VolumeStats {
  readonly podUid: string;
  /** The name in the pod's spec. */
  readonly name: string;
  readonly claim: { readonly name: string; readonly namespace: string };
  readonly at: Instant;
  readonly usage: VolumeUsage;
}

const maxAgeMs = 60_000;

async function usageOfPath(path: string): Promise<VolumeUsage> {
  const { blocks, bavail, bfree, bsize, files, ffree } = await statfs(path);
  return {
    ...{ capacityBytes: blocks * bsize, availableBytes: bavail * bsize, usedBytes: (blocks - bfree) * bsize },
    ...{ inodes: files, inodesFree: ffree, inodesUsed: files - ffree },
  };
}

interface StatsPorts {
  readonly world: World;
  readonly csi: Pick<CsiMounter, "usage">;
  readonly stateDir: string;
  readonly pods: { all(): readonly Pod[] };
  readonly lookup: (namespace: string) => VolumeLookup;
}

function resolved(pod: Pod, v: Volume, lookup: VolumeLookup): ClaimedVolume | undefined {
  try {
    return claimed(pod, v, lookup);
  } catch (e) {
    if (e instanceof Unmet) return undefined;
    throw e;
  }
}

/** Measures the volumes of the node's claims, each at most once a minute, without those that cannot be measured. */
export function volumeStats({ world, csi, stateDir, pods, lookup }: StatsPorts): () => Promise<readonly VolumeStats[]> {
  let known = new Map<string, VolumeStats>();
  const measured = async (pod: Pod, v: Volume): Promise<VolumeUsage | undefined> => {
    const behind = resolved(pod, v, lookup(pod.metadata.namespace ?? "default"));
    if (behind === undefined) return undefined;
    const volume = csiVolumeOf(pod, v, behind);
    if (volume) return csi.usage(pod.metadata.uid, volume);
    const { local, volumeMode } = behind.pv.spec;
    const isMeasured = local !== undefined && volumeMode !== "Block";
    return isMeasured ? usageOfPath(localPath(stateDir, pod.metadata.uid, behind.pv)) : undefined;
  };
  const statsOf = async (pod: Pod, v: Volume): Promise<readonly VolumeStats[]> => {
    const { uid, namespace = "default" } = pod.metadata;
    const before = known.get(`${uid} ${v.name}`);
    if (before && world.clock.now() - before.at < maxAgeMs) return [before];
    const usage = await measured(pod, v).catch(() => undefined);
    const name = claimNameOf(pod, v);
    if (usage === undefined || name === undefined) return [];
    return [{ podUid: uid, name: v.name, claim: { name, namespace }, at: world.clock.now(), usage }];
  };
  return async () => {
    const volumes = pods
      .all()
      .filter(hasClaims)
      .flatMap((pod) => (pod.spec.volumes ?? []).map((v) => [pod, v] as const));
    const all = (await Promise.all(volumes.map(([pod, v]) => statsOf(pod, v)))).flat();
    known = new Map(all.map((stats) => [`${stats.podUid} ${stats.name}`, stats]));
    return all;
  };
}

/** The volumes of a pod in the stats Summary. Pure. */
export const summaryOf = (stats: readonly VolumeStats[], podUid: string): readonly object[] =>
  stats
    .filter((s) => s.podUid === podUid)
    .map(({ name, claim, at, usage }) => ({ time: timestamp(at), ...usage, name, pvcRef: claim }));

const families: readonly (readonly [name: string, field: keyof VolumeUsage, help: string])[] = [
  ["available_bytes", "availableBytes", "Number of available bytes in the volume"],
  ["capacity_bytes", "capacityBytes", "Capacity in bytes of the volume"],
  ["inodes", "inodes", "Maximum number of inodes in the volume"],
  ["inodes_free", "inodesFree", "Number of free inodes in the volume"],
  ["inodes_used", "inodesUsed", "Number of used inodes in the volume"],
  ["used_bytes", "usedBytes", "Number of used bytes in the volume"],
];

/** The volumes in the kubelet's metrics, each claim once. Pure. */
export function volumeMetrics(stats: readonly VolumeStats[]): string {
  const byClaim = [...new Map(stats.map((s) => [`${s.claim.namespace}/${s.claim.name}`, s])).values()];
  return families
    .map(([name, field, help]) => {
      const lines = byClaim.flatMap(({ claim, usage }) => {
        const labels = `{namespace="${claim.namespace}",persistentvolumeclaim="${claim.name}"}`;
        return usage[field] === undefined ? [] : [`kubelet_volume_stats_${name}${labels} ${usage[field]}\n`];
      });
      const head = `# HELP kubelet_volume_stats_${name} ${help}\n# TYPE kubelet_volume_stats_${name} gauge\n`;
      return lines.length === 0 ? "" : `${head}${lines.join("")}`;
    })
    .join("");
}
