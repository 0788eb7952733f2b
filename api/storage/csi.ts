// CSIDriver, CSINode, CSIStorageCapacity and VolumeAttachment: storage drivers, the nodes they run on, the capacity
// they have left, and the volumes they attach. Source: the API reference of storage.k8s.io.
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import type {
  CSIDriver,
  CSINode,
  CSINodeDriver,
  CSIStorageCapacity,
  StorageV1TokenRequest,
  VolumeAttachment,
  VolumeAttachmentSource,
  VolumeAttachmentStatus,
  VolumeError,
} from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName, validateSubdomainName } from "../names.ts";
import { validateAmount } from "../resource-names.ts";
import { duplicate, each, forbidden, invalid, none, required, together, tooLong, unchanged } from "../problems.ts";

const csi = { group: "storage.k8s.io", allowUnconditionalUpdate: false } as const;

function validateExpiration(seconds: number, path: string): readonly Problem[] {
  const limit = seconds < 600 ? "less than 10 minutes" : seconds > 2 ** 32 ? "larger than 2^32 seconds" : undefined;
  return limit === undefined ? none : [invalid(path, seconds, `may not specify a duration ${limit}`)];
}

function validateTokens(tokens: readonly StorageV1TokenRequest[]): readonly Problem[] {
  const audiences = tokens.map((token) => token.audience);
  return each(tokens, "spec.tokenRequests", ({ audience, expirationSeconds = 600 }, at, i) =>
    audiences.indexOf(audience) < i
      ? [duplicate(`${at}.audience`, audience)]
      : validateExpiration(expirationSeconds, `${at}.expirationSeconds`),
  );
}

export const csiDrivers = define<CSIDriver>({
  ...csi,
  kind: "CSIDriver",
  scope: "Cluster",
  validate: ({ spec }, old) =>
    together(
      validateTokens(spec.tokenRequests ?? []),
      old && unchanged(spec.attachRequired, old.spec.attachRequired, "spec.attachedRequired"),
    ),
  columns: [
    nameColumn,
    { name: "AttachRequired", type: "boolean", cell: (d) => d.spec.attachRequired ?? true },
    { name: "PodInfoOnMount", type: "boolean", cell: (d) => d.spec.podInfoOnMount ?? false },
    { name: "StorageCapacity", type: "boolean", cell: (d) => d.spec.storageCapacity ?? false },
    { name: "TokenRequests", cell: (d) => d.spec.tokenRequests?.map((t) => t.audience).join(",") ?? "<unset>" },
    { name: "RequiresRepublish", type: "boolean", cell: (d) => d.spec.requiresRepublish ?? false },
    { name: "Modes", cell: (d) => d.spec.volumeLifecycleModes?.join(",") || "<none>" },
    ageColumn,
  ],
});

const longestNodeId = 256;

/** Topology keys are reported at the driver, as in Kubernetes. */
const validateDriver = ({ nodeID, topologyKeys = [] }: CSINodeDriver): readonly Problem[] =>
  together(
    nodeID.length > longestNodeId && invalid("nodeID", nodeID, `must be ${longestNodeId} characters or less`),
    topologyKeys.flatMap((key, i) =>
      together(
        key === "" && required(""),
        topologyKeys.indexOf(key) < i && duplicate("", key),
        validateQualifiedName(key, ""),
      ),
    ),
  );

/** Of a driver that stays, only the number of volumes it can attach may change. */
const fixed = ({ allocatable: _, ...driver }: CSINodeDriver): object => driver;
const validateChange = ({ spec }: Draft<CSINode>, old: CSINode): readonly Problem[] =>
  old.spec.drivers.flatMap((before) =>
    spec.drivers.flatMap((d) => (d.name === before.name ? unchanged(fixed(d), fixed(before), "spec.drivers") : [])),
  );

export const csiNodes = define<CSINode>({
  ...csi,
  kind: "CSINode",
  scope: "Cluster",
  rules: { CSINodeDriver: validateDriver },
  validate: (node, old) => (old ? validateChange(node, old) : none),
  columns: [nameColumn, { name: "Drivers", type: "integer", cell: (n) => n.spec.drivers.length }, ageColumn],
});

export const csiStorageCapacities = define<CSIStorageCapacity>({
  ...csi,
  kind: "CSIStorageCapacity",
  scope: "Namespaced",
  validate: ({ capacity }) => (capacity === undefined ? none : validateAmount("", capacity, "capacity")),
  columns: [
    nameColumn,
    { name: "StorageClassName", cell: (c) => c.storageClassName },
    { name: "Capacity", cell: (c) => c.capacity ?? "<unset>" },
  ],
});

const exactlyOne = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
const mostMessage = 1024;
const mostMetadata = 256 * 1024;

function validateSource({ inlineVolumeSpec: inline, persistentVolumeName: name }: VolumeAttachmentSource) {
  if (inline === undefined && name === undefined) return [required("", exactlyOne)];
  if (inline !== undefined && name !== undefined) return [forbidden("", exactlyOne)];
  return name === ""
    ? [required("persistentVolumeName", "must specify non empty persistentVolumeName")]
    : validateSubdomainName(name, "persistentVolumeName");
}

function validateMetadata({ attachmentMetadata = {} }: VolumeAttachmentStatus) {
  const size = Object.entries(attachmentMetadata).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return size > mostMetadata ? [tooLong("attachmentMetadata", mostMetadata)] : none;
}

export const volumeAttachments = define<VolumeAttachment>({
  group: "storage.k8s.io",
  kind: "VolumeAttachment",
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  subresources: ["status"],
  rules: {
    VolumeAttachmentSource: validateSource,
    VolumeAttachmentStatus: validateMetadata,
    VolumeError: ({ message = "" }: VolumeError) =>
      message.length > mostMessage ? [tooLong("message", mostMetadata)] : none,
  },
  columns: [
    nameColumn,
    { name: "Attacher", format: "name", cell: (a) => a.spec.attacher },
    { name: "PV", cell: (a) => a.spec.source.persistentVolumeName ?? "" },
    { name: "Node", cell: (a) => a.spec.nodeName },
    { name: "Attached", type: "boolean", cell: (a) => a.status?.attached ?? false },
    ageColumn,
  ],
});
