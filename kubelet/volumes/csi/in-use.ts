// The agreement of a kubelet and the attach/detach controller, in the status of their node: the controller takes a
// volume out of `volumesAttached` before it detaches it, unless `volumesInUse` has it; the kubelet puts it into
// `volumesInUse`, and mounts it if `volumesAttached` has it then. So what is mounted is not detached.
import { nodes } from "../../../api/core/nodes.ts";
import type { Node } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";

/** Writes the attached volumes that are mounted or about to be, by their unique names. Resolves with the node then. */
export const writeInUse = (client: Client, nodeName: string, volumesInUse: readonly string[]): Promise<Node> =>
  client.patch(nodes, key(undefined, nodeName), { type: "merge", patch: { status: { volumesInUse } } }, "status");

/** Whether the node has the volume attached, and the controller does not detach it. Pure. */
export const isAttachedTo = ({ status }: Node, uniqueName: string): boolean =>
  status?.volumesAttached?.some(({ name }) => name === uniqueName) === true;
