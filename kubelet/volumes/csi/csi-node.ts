// Makes a node's CSI drivers known in the API: in the node's CSINode object, which scheduler and provisioners read, and
// in labels and an annotation of the node.
import type { CSINode, CSINodeDriver } from "../../../api/generated/types.ts";
import { ifFound } from "../../../api/errors.ts";
import { sameJson } from "../../../api/hash.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { key } from "../../../api/meta.ts";
import { csiNodes } from "../../../api/storage/csi.ts";
import type { Client } from "../../../machinery/client.ts";

/** What a driver says about itself and its node (CSI: NodeGetInfo). */
export interface DriverOnNode {
  readonly name: string;
  readonly nodeId: string;
  /** 0 for no limit. */
  readonly maxVolumesPerNode: number;
  readonly accessibleTopology: { readonly segments: Readonly<Record<string, string>> } | null;
}

const nodeIdAnnotation = "csi.volume.kubernetes.io/nodeid";
const mostVolumes = 2 ** 31 - 1;

const segmentsOf = ({ accessibleTopology }: DriverOnNode): Readonly<Record<string, string>> =>
  accessibleTopology?.segments ?? {};

/** The driver's entry in the CSINode object. Pure. */
export const entryOf = (driver: DriverOnNode): CSINodeDriver => ({
  name: driver.name,
  nodeID: driver.nodeId,
  topologyKeys: Object.keys(segmentsOf(driver)).toSorted(),
  ...(driver.maxVolumesPerNode > 0 && { allocatable: { count: Math.min(driver.maxVolumesPerNode, mostVolumes) } }),
});

async function labelNode(client: Client, nodeName: string, driver: DriverOnNode): Promise<void> {
  const { metadata } = await client.get(nodes, key(undefined, nodeName));
  const labels = segmentsOf(driver);
  for (const [name, value] of Object.entries(labels)) {
    const current = metadata.labels?.[name];
    if (current !== undefined && current !== value)
      throw new Error(
        `detected topology value collision: driver reported "${name}":"${value}" but existing label is ` +
          `"${name}":"${current}"`,
      );
  }
  const written = metadata.annotations?.[nodeIdAnnotation];
  const ids = JSON.parse(written ?? "{}") as Record<string, string>;
  const annotations = { [nodeIdAnnotation]: JSON.stringify({ ...ids, [driver.name]: driver.nodeId }) };
  const isLabelled = Object.keys(labels).every((name) => metadata.labels?.[name] !== undefined);
  if (isLabelled && ids[driver.name] === driver.nodeId) return;
  await client.patch(nodes, key(undefined, nodeName), { type: "merge", patch: { metadata: { labels, annotations } } });
}

/** The node's object, which its node owns. */
async function csiNodeOf(client: Client, nodeName: string): Promise<CSINode> {
  const found = await ifFound(client.get(csiNodes, key(undefined, nodeName)));
  if (found) return found;
  const { uid } = (await client.get(nodes, key(undefined, nodeName))).metadata;
  return client.create(csiNodes, {
    kind: "CSINode",
    metadata: { name: nodeName, ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName, uid }] },
    spec: { drivers: [] },
  });
}

/** Adds the driver, or replaces its entry. Fails while the node is not registered. */
export async function publishDriver(client: Client, nodeName: string, driver: DriverOnNode): Promise<void> {
  await labelNode(client, nodeName, driver);
  const csiNode = await csiNodeOf(client, nodeName);
  const entry = entryOf(driver);
  const current = csiNode.spec.drivers.find((d) => d.name === driver.name);
  if (current && sameJson(current, entry)) return;
  const others = csiNode.spec.drivers.filter((d) => d.name !== driver.name);
  // Other than its limit an entry may not be changed, only removed and added.
  const isNew = current === undefined || sameJson({ ...current, allocatable: entry.allocatable }, entry);
  const base = isNew ? csiNode : await client.update(csiNodes, { ...csiNode, spec: { drivers: others } });
  await client.update(csiNodes, { ...base, spec: { drivers: [...others, entry] } });
}

/** Removes the driver's entry. */
export async function withdrawDriver(client: Client, nodeName: string, driver: string): Promise<void> {
  const csiNode = await ifFound(client.get(csiNodes, key(undefined, nodeName)));
  const drivers = csiNode?.spec.drivers.filter(({ name }) => name !== driver);
  if (csiNode === undefined || drivers?.length === csiNode.spec.drivers.length) return;
  await client.update(csiNodes, { ...csiNode, spec: { drivers: drivers ?? [] } });
}
