// What every kubelet may do beyond the requests that are decided by their object. Source: the role system:node of a
// Kubernetes cluster, which has no subjects there either.
import type { PolicyRule } from "../../../api/generated/types.ts";

const rule = (verbs: string, group: string, resources: string): PolicyRule => ({
  apiGroups: [group],
  resources: resources.split(" "),
  verbs: verbs.split(" "),
});

/** The rules of the role system:node. Those of kinds that {@link decide} decides itself are for readers of the role. */
export const nodeRules: readonly PolicyRule[] = [
  rule("create", "authentication.k8s.io", "tokenreviews"),
  rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
  rule("get list watch", "", "services"),
  rule("create get list watch", "", "nodes"),
  rule("patch update", "", "nodes/status"),
  rule("patch update", "", "nodes"),
  { ...rule("create patch update", "", "events"), apiGroups: ["", "events.k8s.io"] },
  rule("get list watch", "", "pods"),
  rule("create delete", "", "pods"),
  rule("patch update", "", "pods/status"),
  rule("create", "", "pods/eviction"),
  rule("get list watch", "", "configmaps secrets"),
  rule("get", "", "persistentvolumeclaims persistentvolumes"),
  rule("get", "", "endpoints"),
  rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
  rule("create delete get patch update", "coordination.k8s.io", "leases"),
  rule("get", "storage.k8s.io", "volumeattachments"),
  rule("create", "", "serviceaccounts/token"),
  rule("get patch update", "", "persistentvolumeclaims/status"),
  rule("get list watch", "storage.k8s.io", "csidrivers"),
  rule("create delete get patch update", "storage.k8s.io", "csinodes"),
  rule("get list watch", "node.k8s.io", "runtimeclasses"),
  rule("get", "resource.k8s.io", "resourceclaims"),
  rule("deletecollection", "resource.k8s.io", "resourceslices"),
  rule("get", "", "serviceaccounts"),
];
