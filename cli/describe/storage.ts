// Describes storage: PersistentVolumes, claims, StorageClasses, VolumeAttributesClasses, CSINodes.
import type {
  CSINode,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  VolumeAttributesClass,
} from "../../api/generated/types.ts";
import type { Describer } from "./describer.ts";
import {
  annotationLines,
  field,
  goList,
  indented,
  inlineLabels,
  type Lines,
  labelLines,
  optional,
  orUnset,
  table,
  timeText,
} from "./layout.ts";
import { dataSourceLines, sourceLines } from "./volumes.ts";

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};
/** Access modes in their short form, each once. */
const modesText = (modes: readonly string[] | undefined): string =>
  Object.keys(shortModes)
    .filter((mode) => modes?.includes(mode))
    .map((mode) => shortModes[mode])
    .join(",");

type Metadata = PersistentVolume["metadata"];
const betaClass = "volume.beta.kubernetes.io/storage-class";
const classOf = ({ annotations }: Metadata, name: string | undefined): string => annotations?.[betaClass] ?? name ?? "";

/** The phase; what is being deleted is terminating. */
const phaseText = ({ deletionTimestamp }: Metadata, phase: string | undefined): string =>
  deletionTimestamp === undefined ? (phase ?? "") : "Terminating";

function affinityLines({ spec }: PersistentVolume): Lines {
  const affinity = spec?.nodeAffinity;
  if (affinity === undefined) return [field("Node Affinity", "<none>")];
  const terms = affinity.required?.nodeSelectorTerms;
  if (terms === undefined) return [field("Node Affinity", ""), "  Required Terms:  <none>"];
  return [
    field("Node Affinity", ""),
    `  ${field("Required Terms", "")}`,
    ...terms.flatMap(({ matchExpressions = [] }, i) => {
      const texts = matchExpressions.map(({ key, operator, values }) =>
        values?.length ? `${key} ${operator.toLowerCase()} [${values.join(", ")}]` : `${key} ${operator.toLowerCase()}`,
      );
      const shown = texts.length === 0 ? ["<none>"] : texts;
      return indented(
        shown.map((text, n) => (n === 0 ? field(`Term ${i}`, text) : `\t${text}`)),
        2,
      );
    }),
  ];
}

export const persistentVolumeDescriber: Describer<PersistentVolume> = {
  lines: (volume) => {
    const { metadata, spec = {}, status } = volume;
    const { claimRef } = spec;
    return [
      field("Name", metadata.name),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      field("Finalizers", goList(metadata.finalizers)),
      field("StorageClass", classOf(metadata, spec.storageClassName)),
      field("Status", phaseText(metadata, status?.phase)),
      field("Claim", claimRef ? `${claimRef.namespace}/${claimRef.name}` : ""),
      field("Reclaim Policy", spec.persistentVolumeReclaimPolicy),
      field("Access Modes", modesText(spec.accessModes)),
      ...optional("VolumeMode", spec.volumeMode),
      field("Capacity", spec.capacity?.["storage"]),
      ...affinityLines(volume),
      field("Message", status?.message),
      "Source:",
      ...indented(sourceLines(spec, "persistent"), 2),
    ];
  },
};

const usesClaim = (claim: string) => (pod: Pod) =>
  (pod.spec.volumes ?? []).some(
    ({ name, persistentVolumeClaim, ephemeral }) =>
      persistentVolumeClaim?.claimName === claim ||
      (ephemeral !== undefined && `${pod.metadata.name}-${name}` === claim),
  );

function claimConditions({ status }: PersistentVolumeClaim): Lines {
  const list = status?.conditions ?? [];
  if (list.length === 0) return [];
  const rows = list.map((c) => [
    `${c.type} `,
    c.status,
    `${timeText(c.lastProbeTime)} `,
    `${timeText(c.lastTransitionTime)} `,
    c.reason ?? "",
    c.message ?? "",
  ]);
  const titles = ["Type", "Status", "LastProbeTime", "LastTransitionTime", "Reason", "Message"];
  const rule = ["----", "------", "-----------------", "------------------", "------", "-------"];
  return ["Conditions:", ...indented(table(titles, rows, rule))];
}

export const claimDescriber: Describer<PersistentVolumeClaim, readonly Pod[]> = {
  related: async ({ metadata }, api) =>
    (await api.list<Pod>(`/api/v1/namespaces/${metadata.namespace}/pods`)).filter(usesClaim(metadata.name)),
  lines: (claim, { related }) => {
    const { metadata, spec = {}, status } = claim;
    const isBound = spec.volumeName !== undefined && spec.volumeName !== "";
    const users = related.map((pod) => pod.metadata.name);
    return [
      field("Name", metadata.name),
      field("Namespace", metadata.namespace),
      field("StorageClass", classOf(metadata, spec.storageClassName)),
      field("Status", phaseText(metadata, status?.phase)),
      field("Volume", spec.volumeName),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      field("Finalizers", goList(metadata.finalizers)),
      field("Capacity", isBound ? status?.capacity?.["storage"] : ""),
      field("Access Modes", isBound ? modesText(status?.accessModes) : ""),
      ...optional("VolumeMode", spec.volumeMode),
      ...dataSourceLines(spec.dataSource),
      ...(users.length === 0
        ? [field("Used By", "<none>")]
        : users.map((name, i) => (i === 0 ? field("Used By", name) : `\t${name}`))),
      ...claimConditions(claim),
    ];
  },
};

const defaultClass = "storageclass.kubernetes.io/is-default-class";
const isDefault = ({ annotations }: Metadata): boolean =>
  [defaultClass, "storageclass.beta.kubernetes.io/is-default-class"].some((key) => annotations?.[key] === "true");

function topologyLines({ allowedTopologies }: StorageClass): Lines {
  if (!allowedTopologies?.length) return [];
  return [
    field("AllowedTopologies", ""),
    ...allowedTopologies.flatMap(({ matchLabelExpressions = [] }, i) => {
      const texts = matchLabelExpressions.map(({ key, values }) => `${key} in [${values.join(", ")}]`);
      const shown = texts.length === 0 ? ["<none>"] : texts;
      return indented(shown.map((text, n) => (n === 0 ? field(`Term ${i}`, text) : `\t${text}`)));
    }),
  ];
}

export const storageClassDescriber: Describer<StorageClass> = {
  lines: (storageClass) => {
    const { metadata, allowVolumeExpansion, mountOptions } = storageClass;
    const expansion = allowVolumeExpansion === undefined ? "<unset>" : allowVolumeExpansion ? "True" : "False";
    return [
      field("Name", metadata.name),
      field("IsDefaultClass", isDefault(metadata) ? "Yes" : "No"),
      field("Annotations", inlineLabels(metadata.annotations)),
      field("Provisioner", storageClass.provisioner),
      field("Parameters", inlineLabels(storageClass.parameters)),
      field("AllowVolumeExpansion", expansion),
      ...(mountOptions?.length ? ["MountOptions:", ...indented(mountOptions)] : [field("MountOptions", "<none>")]),
      ...optional("ReclaimPolicy", storageClass.reclaimPolicy),
      ...optional("VolumeBindingMode", storageClass.volumeBindingMode),
      ...topologyLines(storageClass),
    ];
  },
};

export const volumeAttributesClassDescriber: Describer<VolumeAttributesClass> = {
  lines: ({ metadata, driverName, parameters }) => [
    field("Name", metadata.name),
    field("Annotations", inlineLabels(metadata.annotations)),
    field("DriverName", driverName),
    field("Parameters", inlineLabels(parameters)),
  ],
};

export const csiNodeDescriber: Describer<CSINode> = {
  lines: ({ metadata, spec }) => [
    field("Name", metadata.name),
    ...labelLines("Labels", metadata.labels),
    ...annotationLines(metadata.annotations),
    field("CreationTimestamp", timeText(metadata.creationTimestamp)),
    "Spec:",
    ...(spec.drivers.length === 0 ? [] : ["  Drivers:"]),
    ...spec.drivers.flatMap(({ name, nodeID, allocatable, topologyKeys }) => [
      `    ${name}:`,
      ...indented(
        [
          field("Node ID", nodeID),
          ...(allocatable?.count === undefined
            ? []
            : ["Allocatables:", `  ${field("Count", orUnset(allocatable.count))}`]),
          ...(topologyKeys?.length ? [field("Topology Keys", goList(topologyKeys))] : []),
        ],
        3,
      ),
    ]),
  ],
};
