// CSINode: which storage drivers a node has, and what they call it.
import type { Problem } from "../errors.ts";
import type { CSINode, CSINodeDriver } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName } from "../names.ts";
import { duplicate, invalid, required, unchanged } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

const longestNodeId = 256;

const validateTopologyKeys = (keys: readonly string[], path: string): readonly Problem[] =>
  keys.flatMap((key, i) => [
    ...(key === "" ? [required(path)] : []),
    ...(keys.indexOf(key) < i ? [duplicate(path, key)] : []),
    ...validateQualifiedName(key, path),
  ]);

const validateDriver = (d: CSINodeDriver, path: string): readonly Problem[] => [
  ...(d.nodeID.length > longestNodeId
    ? [invalid(`${path}.nodeID`, d.nodeID, `must be ${longestNodeId} characters or less`)]
    : []),
  ...validateTopologyKeys(d.topologyKeys ?? [], path),
];

/** How much a driver can attach may change while it is there, and nothing else. */
const kept = ({ allocatable: _, ...driver }: CSINodeDriver): object => driver;

const validate = ({ spec }: Draft<CSINode>, old?: CSINode): readonly Problem[] =>
  (old?.spec.drivers ?? []).flatMap((before) =>
    spec.drivers.flatMap((d) => (d.name === before.name ? unchanged(kept(d), kept(before), "spec.drivers") : [])),
  );

export const csiNodes = define<CSINode>({
  group: "storage.k8s.io",
  kind: "CSINode",
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  rules: { CSINodeDriver: validateDriver },
  validate,
  columns: [nameColumn, { name: "Drivers", type: "integer", cell: (n) => n.spec.drivers.length }, ageColumn],
});
