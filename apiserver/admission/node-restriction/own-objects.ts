// What a kubelet may do to objects that belong to its node by their name or content, and to claims of its pods.
import type { CertificateSigningRequest, PersistentVolumeClaim, ResourceSlice } from "../../../api/generated/types.ts";
import { sameJson } from "../../../api/hash.ts";
import { quoted } from "../../../api/quote.ts";
import { unifiedDiff } from "../../../api/unified-diff.ts";
import { commonNameIn, requestIn } from "../certificate-subjects.ts";
import { type Restriction, refusal } from "./kubelet-write.ts";

const leaseNamespace = "kube-node-lease";

export const restrictLease: Restriction = (write) => {
  const { namespace, name } = write.attributes;
  if (namespace !== leaseNamespace)
    throw refusal(write, `can only access leases in the ${quoted(leaseNamespace)} system namespace`);
  if (name !== write.nodeName)
    throw refusal(write, "can only access node lease with the same name as the requesting node");
};

export const restrictCsiNode: Restriction = (write) => {
  if (write.attributes.name !== write.nodeName)
    throw refusal(write, "can only access CSINode with the same name as the requesting node");
};

/** Updates were authorized by the stored slice. */
export const restrictSlice: Restriction = (write) => {
  const { operation } = write.attributes;
  if (operation === "UPDATE" || (write.object as ResourceSlice).spec.nodeName === write.nodeName) return;
  throw refusal(
    write,
    `can only ${operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`,
  );
};

/** The claim without what a kubelet reports about its size. */
function exceptSize({ metadata, status, ...rest }: PersistentVolumeClaim): object {
  const { resourceVersion: _version, managedFields: _fields, ...kept } = metadata;
  const {
    capacity: _c,
    conditions: _s,
    allocatedResourceStatuses: _a,
    allocatedResources: _r,
    ...others
  } = status ?? {};
  return { metadata: kept, ...rest, status: others };
}

export const restrictClaim: Restriction = (write) => {
  const { operation, subresource, old } = write.attributes;
  if (subresource !== "status") throw refusal(write, "may only update PVC status");
  if (operation !== "UPDATE") throw refusal(write, `unexpected operation ${quoted(operation)}`);
  const [before, after] = [exceptSize(old as PersistentVolumeClaim), exceptSize(write.object as PersistentVolumeClaim)];
  if (sameJson(before, after)) return;
  const node = `node ${quoted(write.nodeName)}`;
  throw refusal(
    write,
    `${node} is not allowed to update fields other than status.quantity and status.conditions: ${unifiedDiff(before, after)}`,
  );
};

const kubeletSigners = ["kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet"];

/** Certificates of kubelets are for the node itself. */
export const restrictSigningRequest: Restriction = (write) => {
  if (write.attributes.operation !== "CREATE") return;
  const { spec } = write.object as CertificateSigningRequest;
  if (!kubeletSigners.includes(spec.signerName)) return;
  const own = `system:node:${write.nodeName}`;
  let commonName: string | undefined;
  try {
    commonName = commonNameIn(requestIn(spec.request));
  } catch (error) {
    throw refusal(write, `unable to parse csr: ${(error as Error).message}`);
  }
  if (commonName !== own) throw refusal(write, `can only create a node CSR with CN=${own}`);
};
