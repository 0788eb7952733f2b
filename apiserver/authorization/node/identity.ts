// The node behind a user: kubelets are named after their nodes.
import type { User } from "../authorizer.ts";

const prefix = "system:node:";
/** The group that every kubelet is in; the name alone makes no kubelet. */
export const nodesGroup = "system:nodes";

/** The name of the node whose kubelet the user is; empty when the user's name lacks it; undefined for other users. */
export const nodeNameOf = ({ name, groups }: User): string | undefined =>
  name.startsWith(prefix) && groups.includes(nodesGroup) ? name.slice(prefix.length) : undefined;
