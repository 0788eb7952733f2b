// Describes the sources of volumes: each type by its title and fields, in the order of kubectl.
import type { PersistentVolumeClaimTemplate, ProjectedVolumeSource, Volume } from "../../api/generated/types.ts";
import { annotationLines, byKey, field, goList, indented, type Lines, labelLines, orNone } from "./layout.ts";

type Source = Readonly<Record<string, unknown>>;
/** A name with its field in the source or, for other texts, with a function; some are only for one kind of volume. */
type Row = readonly [name: string, value: string | ((source: Source) => unknown), only?: "pod" | "persistent"];
interface VolumeType {
  readonly title: string;
  readonly rows?: readonly Row[];
  readonly more?: (source: Source) => Lines;
}

const readOnly: Row = ["ReadOnly", (s) => s["readOnly"] === true];
const fsType: Row = ["FSType", "fsType"];
const flag =
  (name: string): Row[1] =>
  (s) =>
    s[name] === true;
const list =
  (name: string): Row[1] =>
  (s) =>
    goList(s[name] as readonly unknown[] | undefined);
const joined =
  (name: string): Row[1] =>
  (s) =>
    ((s[name] as readonly string[] | undefined) ?? []).join(", ");
interface Reference {
  readonly name?: string;
  readonly namespace?: string;
}
/** References as Go prints the pointers to their structs. Secrets of a PersistentVolume may be in any namespace. */
const secretRefs: readonly Row[] = [
  ["SecretRef", (s) => referenceText(s, ({ name = "" }) => `&LocalObjectReference{Name:${name},}`), "pod"],
  [
    "SecretRef",
    (s) =>
      referenceText(s, ({ name = "", namespace = "" }) => `&SecretReference{Name:${name},Namespace:${namespace},}`),
    "persistent",
  ],
];

function referenceText({ secretRef }: Source, format: (reference: Reference) => string): string {
  return secretRef === undefined ? "nil" : format(secretRef as Reference);
}

interface FieldItem {
  readonly path: string;
  readonly fieldRef?: { readonly fieldPath: string };
  readonly resourceFieldRef?: { readonly resource: string };
}

const downwardItems = (source: Source): Lines => [
  "Items:",
  ...((source["items"] ?? []) as readonly FieldItem[]).flatMap(({ path, fieldRef, resourceFieldRef }) => [
    ...(fieldRef ? [`  ${fieldRef.fieldPath} -> ${path}`] : []),
    ...(resourceFieldRef ? [`  ${resourceFieldRef.resource} -> ${path}`] : []),
  ]),
];

const projected = (source: Source): Lines =>
  (source as unknown as ProjectedVolumeSource).sources?.flatMap((s) => {
    if (s.secret) return [field("SecretName", s.secret.name), field("Optional", s.secret.optional === true)];
    if (s.downwardAPI) return [field("DownwardAPI", true)];
    if (s.configMap)
      return [field("ConfigMapName", s.configMap.name), field("Optional", s.configMap.optional === true)];
    if (s.serviceAccountToken)
      return [field("TokenExpirationSeconds", s.serviceAccountToken.expirationSeconds ?? 3600)];
    return [];
  }) ?? [];

/** Within a volume, each value of labels begins at the indent of its lines. */
const nested = (lines: Lines): Lines => lines.map((line) => line.replace("\t", "\t    "));

const attributes = ({ volumeAttributes }: Source): Lines => {
  const lines = labelLines("VolumeAttributes", volumeAttributes as Readonly<Record<string, string>> | undefined);
  return volumeAttributes === undefined ? lines : nested(lines);
};

interface DataSource {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

/** What a claim is filled from. */
export const dataSourceLines = (source: DataSource | undefined): Lines =>
  source === undefined
    ? []
    : [
        "DataSource:",
        ...(source.apiGroup ? [`  ${field("APIGroup", source.apiGroup)}`] : []),
        `  ${field("Kind", source.kind)}`,
        `  ${field("Name", source.name)}`,
      ];

function claimTemplate(template: PersistentVolumeClaimTemplate): Lines {
  const { metadata, spec } = template;
  return [
    field("StorageClass", spec.storageClassName),
    field("Volume", spec.volumeName),
    ...nested(labelLines("Labels", metadata?.labels)),
    ...nested(annotationLines(metadata?.annotations)),
    // A template has no status.
    field("Capacity", ""),
    field("Access Modes", ""),
    ...(spec.volumeMode === undefined ? [] : [field("VolumeMode", spec.volumeMode)]),
    ...dataSourceLines(spec.dataSource as DataSource | undefined),
  ];
}

const csi: VolumeType = {
  title: "CSI (a Container Storage Interface (CSI) volume source)",
  rows: [["Driver", "driver"], fsType, ["VolumeHandle", "volumeHandle", "persistent"], readOnly],
  more: attributes,
};

/** The types by the name of their field, in the order in which kubectl looks for them. */
const types: Readonly<Record<string, VolumeType>> = {
  hostPath: {
    title: "HostPath (bare host directory volume)",
    rows: [
      ["Path", "path"],
      ["HostPathType", "type"],
    ],
  },
  emptyDir: {
    title: "EmptyDir (a temporary directory that shares a pod's lifetime)",
    rows: [
      ["Medium", "medium"],
      ["SizeLimit", (s) => s["sizeLimit"] ?? "<unset>"],
    ],
  },
  gcePersistentDisk: {
    title: "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
    rows: [["PDName", "pdName"], fsType, ["Partition", (s) => s["partition"] ?? 0], readOnly],
  },
  awsElasticBlockStore: {
    title: "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
    rows: [["VolumeID", "volumeID"], fsType, ["Partition", (s) => s["partition"] ?? 0], readOnly],
  },
  gitRepo: {
    title: "GitRepo (a volume that is pulled from git when the pod is created)",
    rows: [
      ["Repository", "repository"],
      ["Revision", "revision"],
    ],
  },
  secret: {
    title: "Secret (a volume populated by a Secret)",
    rows: [
      ["SecretName", "secretName"],
      ["Optional", flag("optional")],
    ],
  },
  configMap: {
    title: "ConfigMap (a volume populated by a ConfigMap)",
    rows: [
      ["Name", "name"],
      ["Optional", flag("optional")],
    ],
  },
  nfs: {
    title: "NFS (an NFS mount that lasts the lifetime of a pod)",
    rows: [["Server", "server"], ["Path", "path"], readOnly],
  },
  iscsi: {
    title: "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
    rows: [
      ["TargetPortal", "targetPortal"],
      ["IQN", "iqn"],
      ["Lun", "lun"],
      ["ISCSIInterface", "iscsiInterface"],
      fsType,
      readOnly,
      ["Portals", list("portals")],
      ["DiscoveryCHAPAuth", flag("chapAuthDiscovery")],
      ["SessionCHAPAuth", flag("chapAuthSession")],
      ...secretRefs,
      ["InitiatorName", (s) => s["initiatorName"] ?? "<none>"],
    ],
  },
  glusterfs: {
    title: "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
    rows: [
      ["EndpointsName", "endpoints"],
      ["EndpointsNamespace", (s) => s["endpointsNamespace"] ?? "<unset>", "persistent"],
      ["Path", "path"],
      readOnly,
    ],
  },
  persistentVolumeClaim: {
    title: "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
    rows: [["ClaimName", "claimName"], readOnly],
  },
  ephemeral: {
    title: "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)",
    more: (s) => claimTemplate(s["volumeClaimTemplate"] as PersistentVolumeClaimTemplate),
  },
  rbd: {
    title: "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
    rows: [
      ["CephMonitors", list("monitors")],
      ["RBDImage", "image"],
      fsType,
      ["RBDPool", "pool"],
      ["RadosUser", "user"],
      ["Keyring", "keyring"],
      ...secretRefs,
      readOnly,
    ],
  },
  quobyte: {
    title: "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
    rows: [["Registry", "registry"], ["Volume", "volume"], readOnly],
  },
  downwardAPI: {
    title: "DownwardAPI (a volume populated by information about the pod)",
    more: downwardItems,
  },
  azureDisk: {
    title: "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
    rows: [
      ["DiskName", "diskName"],
      ["DiskURI", "diskURI"],
      ["Kind", "kind"],
      fsType,
      ["CachingMode", "cachingMode"],
      readOnly,
    ],
  },
  vsphereVolume: {
    title: "vSphereVolume (a Persistent Disk resource in vSphere)",
    rows: [["VolumePath", "volumePath"], fsType, ["StoragePolicyName", "storagePolicyName"]],
  },
  cinder: {
    title: "Cinder (a Persistent Disk resource in OpenStack)",
    rows: [["VolumeID", "volumeID"], fsType, readOnly, ...secretRefs],
  },
  photonPersistentDisk: {
    title: "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
    rows: [["PdID", "pdID"], fsType],
  },
  portworxVolume: {
    title: "PortworxVolume (a Portworx Volume resource)",
    rows: [["VolumeID", "volumeID"]],
  },
  scaleIO: {
    title: "ScaleIO (a persistent volume backed by a block device in ScaleIO)",
    rows: [
      ["Gateway", "gateway"],
      ["System", "system"],
      ["Protection Domain", "protectionDomain"],
      ["Storage Pool", "storagePool"],
      ["Storage Mode", "storageMode"],
      ["VolumeName", "volumeName"],
      ["SecretName", (s) => (s["secretRef"] as Reference | undefined)?.name, "persistent"],
      ["SecretNamespace", (s) => (s["secretRef"] as Reference | undefined)?.namespace, "persistent"],
      fsType,
      readOnly,
    ],
  },
  cephfs: {
    title: "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
    rows: [
      ["Monitors", list("monitors")],
      ["Path", "path"],
      ["User", "user"],
      ["SecretFile", "secretFile"],
      ...secretRefs,
      readOnly,
    ],
  },
  storageos: {
    title: "StorageOS (a StorageOS Persistent Disk resource)",
    rows: [["VolumeName", "volumeName"], ["VolumeNamespace", "volumeNamespace"], fsType, readOnly],
  },
  fc: {
    title: "FC (a Fibre Channel disk)",
    rows: [["TargetWWNs", joined("targetWWNs")], ["LUN", (s) => s["lun"] ?? "<none>"], fsType, readOnly],
  },
  azureFile: {
    title: "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
    rows: [
      ["SecretName", "secretName"],
      ["SecretNamespace", "secretNamespace", "persistent"],
      ["ShareName", "shareName"],
      readOnly,
    ],
  },
  flexVolume: {
    title: "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
    rows: [
      ["Driver", "driver"],
      fsType,
      ...secretRefs,
      readOnly,
      [
        "Options",
        (s) =>
          `map[${byKey(s["options"] as Source | undefined)
            .map(([k, v]) => `${k}:${v}`)
            .join(" ")}]`,
      ],
    ],
  },
  flocker: {
    title: "Flocker (a Flocker volume mounted by the Flocker agent)",
    rows: [
      ["DatasetName", "datasetName"],
      ["DatasetUUID", "datasetUUID"],
    ],
  },
  projected: {
    title: "Projected (a volume that contains injected data from multiple sources)",
    more: projected,
  },
  csi,
  image: {
    title: "Image (a container image or OCI artifact)",
    rows: [
      ["Reference", "reference"],
      ["PullPolicy", "pullPolicy"],
    ],
  },
  local: {
    title: "LocalVolume (a persistent volume backed by local storage on a node)",
    rows: [["Path", "path"]],
  },
};

/** The source of a volume of a pod or of a PersistentVolume: its type, and the fields of that type. */
export function sourceLines(volume: object, owner: "pod" | "persistent"): Lines {
  const [name] = Object.keys(types).filter((key) => key in volume);
  if (name === undefined) return ["<unknown>"];
  const { title, rows = [], more } = types[name]!;
  const source = (volume as Source)[name] as Source;
  const lines = rows
    .filter(([, , only = owner]) => only === owner)
    .map(([label, value]) => field(label, typeof value === "string" ? source[value] : value(source)))
    // kubectl's line of this field has no colon.
    .map((line) => line.replace(/^ISCSIInterface:/, "ISCSIInterface"));
  return [field("Type", title), ...lines, ...(more?.(source) ?? [])];
}

/** The volumes of a pod, or of a pod template, which is nested. */
export function volumeLines(volumes: readonly Volume[] | undefined, isNested = false): Lines {
  const indent = isNested ? "  " : "";
  if (!volumes?.length) return [`${indent}${field("Volumes", orNone(undefined))}`];
  return [
    `${indent}Volumes:`,
    ...volumes.flatMap((volume) => [
      `${isNested ? "   " : "  "}${volume.name}:`,
      ...indented(sourceLines(volume, "pod"), 2),
    ]),
  ];
}
