// VolumeAttachment: the wish that a volume be attached to a node, and what became of it.
import type { Problem } from "../errors.ts";
import type {
  VolumeAttachment,
  VolumeAttachmentSource,
  VolumeAttachmentStatus,
  VolumeError,
} from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateSubdomainName } from "../names.ts";
import { forbidden, required, tooLong } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

const exactlyOne = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";

const mostMessage = 1024;
const mostMetadata = 256 * 1024;

function validateSource(source: VolumeAttachmentSource, path: string): readonly Problem[] {
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = source;
  if (inline === undefined && name === undefined) return [required(path, exactlyOne)];
  if (inline !== undefined && name !== undefined) return [forbidden(path, exactlyOne)];
  if (name === "") return [required(`${path}.persistentVolumeName`, "must specify non empty persistentVolumeName")];
  return validateSubdomainName(name, `${path}.persistentVolumeName`);
}

const validateError = ({ message = "" }: VolumeError, path: string): readonly Problem[] =>
  message.length > mostMessage ? [tooLong(`${path}.message`, mostMetadata)] : [];

/** What is wrong with what became of it. */
function validateStatus({ attachmentMetadata = {} }: VolumeAttachmentStatus): readonly Problem[] {
  const size = Object.entries(attachmentMetadata).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return size > mostMetadata ? [tooLong("status.attachmentMetadata", mostMetadata)] : [];
}

export const volumeAttachments = define<VolumeAttachment>({
  group: "storage.k8s.io",
  kind: "VolumeAttachment",
  scope: "Cluster",
  allowUnconditionalUpdate: false,
  subresources: ["status"],
  rules: { VolumeAttachmentSource: validateSource, VolumeError: validateError },
  validateStatus: ({ status }) => (status ? validateStatus(status) : []),
  columns: [
    nameColumn,
    { name: "Attacher", format: "name", cell: (a) => a.spec.attacher },
    { name: "PV", cell: (a) => a.spec.source.persistentVolumeName ?? "" },
    { name: "Node", cell: (a) => a.spec.nodeName },
    { name: "Attached", type: "boolean", cell: (a) => a.status?.attached ?? false },
    ageColumn,
  ],
});
