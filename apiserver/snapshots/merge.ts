// What a restored cluster consists of: the archive, but what stands for running programs and machines as it is. Pure.
import { csiNodes } from "../../api/storage/csi.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { leases } from "../../api/coordination/leases.ts";
import { nodes } from "../../api/core/nodes.ts";
import { prefixOf } from "../registry/codec.ts";
import type { Stored } from "../storage/storage.ts";

const nodePrefix = prefixOf(nodes);
/** One object of each node, under the name of the node. */
const perNode: readonly string[] = [nodePrefix, prefixOf(csiNodes)];
const leasePrefix = prefixOf(leases);
/** What the control plane publishes of itself: its authority, and how nodes are configured. */
const published: ReadonlySet<string> = new Set([
  `${prefixOf(configMaps)}kube-public/cluster-info`,
  `${prefixOf(configMaps)}kube-system/orrery-node-settings`,
]);
const isRunning = (key: string): boolean => key.startsWith(leasePrefix) || published.has(key);

const nameIn = (key: string): string => key.slice(key.lastIndexOf("/") + 1);
const kindPrefix = (key: string): string | undefined => perNode.find((prefix) => key.startsWith(prefix));

/**
 * The entries after a restore. Leases are those of the programs that run now, so that leaders stay leaders. Nodes are
 * as in the archive if they exist now; nodes that exist only now stay, and those that exist no more are left out,
 * unless the cluster has no nodes at all.
 */
export function restoredEntries(archived: readonly Stored[], current: readonly Stored[]): readonly Stored[] {
  const existing = new Set(current.filter(({ key }) => key.startsWith(nodePrefix)).map(({ key }) => nameIn(key)));
  const isOfMissingNode = (key: string): boolean =>
    existing.size > 0 && kindPrefix(key) !== undefined && !existing.has(nameIn(key));
  const kept = archived.filter(({ key }) => !isRunning(key) && !isOfMissingNode(key));
  const keys = new Set(kept.map(({ key }) => key));
  const running = current.filter(({ key }) => isRunning(key) || (kindPrefix(key) !== undefined && !keys.has(key)));
  return [...kept, ...running];
}

/** Replaces names of nodes wherever a value, or the name of an object, is exactly that name. */
export function withRenamedNodes(
  entries: readonly Stored[],
  names: Readonly<Record<string, string>>,
): readonly Stored[] {
  if (Object.keys(names).length === 0) return entries;
  const renamed = (value: unknown): unknown => {
    if (typeof value === "string") return names[value] ?? value;
    if (Array.isArray(value)) return value.map(renamed);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, renamed(inner)]));
  };
  return entries.map((stored) => {
    const text = Buffer.from(stored.value).toString("utf8");
    if (!Object.keys(names).some((name) => text.includes(JSON.stringify(name)))) return stored;
    const own = kindPrefix(stored.key) === undefined ? undefined : names[nameIn(stored.key)];
    const key = own === undefined ? stored.key : stored.key.slice(0, -nameIn(stored.key).length) + own;
    return { ...stored, key, value: Buffer.from(JSON.stringify(renamed(JSON.parse(text)))) };
  });
}
