// NodeRestriction: a kubelet writes only what belongs to its node. The node authorizer decides by what is stored; this
// decides by what is sent. Source: the Kubernetes page "Admission Control in Kubernetes".
import { qualified } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { quoted } from "../../../api/quote.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import { nodeNameOf } from "../../authorization/node/identity.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../../registry/admission.ts";
import { type Restriction, refusal } from "./kubelet-write.ts";
import { restrictNode } from "./nodes.ts";
import { restrictClaim, restrictCsiNode, restrictLease, restrictSigningRequest, restrictSlice } from "./own-objects.ts";
import { restrictPod } from "./pods.ts";
import { restrictServiceAccount } from "./tokens.ts";

/** By qualified plural. */
const restrictions = (authorizer: Authorizer): Readonly<Record<string, Restriction>> => ({
  pods: restrictPod,
  nodes: restrictNode,
  persistentvolumeclaims: restrictClaim,
  serviceaccounts: restrictServiceAccount(authorizer),
  "leases.coordination.k8s.io": restrictLease,
  "csinodes.storage.k8s.io": restrictCsiNode,
  "resourceslices.resource.k8s.io": restrictSlice,
  "certificatesigningrequests.certificates.k8s.io": restrictSigningRequest,
});

/** Restricts users who are kubelets. */
export function nodeRestriction(authorizer: Authorizer): AdmissionPlugin {
  const all = restrictions(authorizer);
  const restrict = (object: ApiObject, attributes: AdmissionAttributes): void | Promise<void> => {
    const { user } = attributes.options;
    const nodeName = user && nodeNameOf(user);
    if (nodeName === undefined) return;
    const write = { nodeName, object, attributes };
    if (nodeName === "") throw refusal(write, `could not determine node from user ${quoted(user!.name)}`);
    return all[qualified(attributes.r)]?.(write);
  };
  return {
    name: "NodeRestriction",
    operations: ["CREATE", "UPDATE", "DELETE"],
    subresources: ["eviction", "token"],
    handles: () => true,
    mutate(object, attributes) {
      const restricted = restrict(object, attributes);
      return restricted instanceof Promise ? restricted.then(() => object) : object;
    },
    // Deletions have nothing to mutate.
    validate: (object, attributes) => (attributes.operation === "DELETE" ? restrict(object, attributes) : undefined),
  };
}
