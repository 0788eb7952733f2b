// CSINode: which storage drivers a node has, and what they call it.
import type { Problem } from "../errors.ts";
import type { CSINode, CSINodeDriver } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName, validateSubdomainName } from "../names.ts";
import { duplicate, invalid, notNegative, required, unchanged } from "../problems.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateDriverName } from "../core/storage-drivers.ts";

const longestNodeId = 256;

const validateTopologyKeys = (keys: readonly string[], path: string): readonly Problem[] =>
  keys.flatMap((key, i) => [
    ...(key === "" ? [required(path)] : []),
    ...(keys.indexOf(key) < i ? [duplicate(path, key)] : []),
    ...validateQualifiedName(key, path),
  ]);

const validateDriver = (d: CSINodeDriver, path: string, isRepeated: boolean): readonly Problem[] => [
  ...validateDriverName(d.name, `${path}.name`),
  ...(d.nodeID ? [] : [required(`${path}.nodeID`)]),
  ...((d.nodeID ?? "").length > longestNodeId
    ? [invalid(`${path}.nodeID`, d.nodeID, `must be ${longestNodeId} characters or less`)]
    : []),
  ...notNegative(d.allocatable?.count, `${path}.allocatable.count`),
  ...(isRepeated ? [duplicate(`${path}.name`, d.name)] : []),
  ...validateTopologyKeys(d.topologyKeys ?? [], path),
];

/** How much a driver can attach may change while it is there, and nothing else. */
const kept = ({ allocatable: _, ...driver }: CSINodeDriver): object => driver;

function validate({ metadata, spec }: Draft<CSINode>, old?: CSINode): readonly Problem[] {
  const drivers = spec.drivers ?? [];
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...drivers.flatMap((d, i) =>
      validateDriver(d, `spec.drivers[${i}]`, drivers.findIndex((other) => other.name === d.name) < i),
    ),
    ...(old?.spec.drivers ?? []).flatMap((before) =>
      drivers.flatMap((d) => (d.name === before.name ? unchanged(kept(d), kept(before), "spec.drivers") : [])),
    ),
  ];
}

export const csiNodes = define<CSINode>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  published: "io.k8s.api.storage.v1.CSINode",
  schema: schemaOf("io.k8s.api.storage.v1.CSINode"),
  defaults: (d) => ({ ...d, spec: { ...d.spec, drivers: d.spec?.drivers ?? [] } }),
  validate,
  columns: [nameColumn, { name: "Drivers", type: "integer", cell: (n) => n.spec.drivers.length }, ageColumn],
});
