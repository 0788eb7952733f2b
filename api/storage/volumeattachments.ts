// VolumeAttachment: a volume that is to be attached to a node, and the result.
import type {
  VolumeAttachment,
  VolumeAttachmentSource,
  VolumeAttachmentStatus,
  VolumeError,
} from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateSubdomainName } from "../names.ts";
import { forbidden, none, required, tooLong } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

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
