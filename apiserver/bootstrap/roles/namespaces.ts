// Roles in the system namespaces. Source: Kubernetes' default roles (the page "Using RBAC Authorization").
import { type AccessRow, rolesIn } from "./text.ts";

export const namespaceRoles: readonly AccessRow[] = rolesIn(`
kube-public/system:controller:bootstrap-signer for account:bootstrap-signer
  read core configmaps
  update core configmaps named cluster-info
  events
kube-system/extension-apiserver-authentication-reader as system::extension-apiserver-authentication-reader for user:system:kube-controller-manager user:system:kube-scheduler
  read core configmaps named extension-apiserver-authentication
kube-system/system::leader-locking-kube-controller-manager for user:system:kube-controller-manager account:kube-controller-manager account:leader-election-controller
  create,get,list,update,watch coordination.k8s.io leases
  create,get,list,update,watch coordination.k8s.io leasecandidates
kube-system/system::leader-locking-kube-scheduler for user:system:kube-scheduler account:kube-scheduler
  create,get,list,update,watch coordination.k8s.io leases
  create,get,list,update,watch coordination.k8s.io leasecandidates
kube-system/system:controller:bootstrap-signer for account:bootstrap-signer
  read core secrets
kube-system/system:controller:cloud-provider for account:cloud-provider
  create,get,list,watch core configmaps
kube-system/system:controller:token-cleaner for account:token-cleaner
  delete,get,list,watch core secrets
  events
`);
