// Roles for components: of the control plane, of nodes, and those that others may run in a cluster. Source: Kubernetes'
// default roles (the page "Using RBAC Authorization").
import { nodeRules } from "../../authorization/node/rules.ts";
import { type AccessRow, rolesIn } from "./text.ts";

/** Without subjects: about kubelets, the node authorizer decides by their pods. */
const node = rolesIn("system:node for").map(
  ([r, object]): AccessRow => [r, r.kind === "ClusterRole" ? { ...object, rules: nodeRules } : object],
);

export const componentRoles: readonly AccessRow[] = [
  ...node,
  ...rolesIn(`
system:auth-delegator
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
system:certificates.k8s.io:certificatesigningrequests:nodeclient as orrery.dev:node-autoapprove-bootstrap for group:system:bootstrappers:orrery:default-node-token
  create certificates.k8s.io certificatesigningrequests/nodeclient
system:certificates.k8s.io:certificatesigningrequests:selfnodeclient as orrery.dev:node-autoapprove-certificate-rotation for group:system:nodes
  create certificates.k8s.io certificatesigningrequests/selfnodeclient
system:certificates.k8s.io:kube-apiserver-client-approver
  approve certificates.k8s.io signers named kubernetes.io/kube-apiserver-client
system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
  approve certificates.k8s.io signers named kubernetes.io/kube-apiserver-client-kubelet
system:certificates.k8s.io:kubelet-serving-approver
  approve certificates.k8s.io signers named kubernetes.io/kubelet-serving
system:certificates.k8s.io:legacy-unknown-approver
  approve certificates.k8s.io signers named kubernetes.io/legacy-unknown
system:heapster
  read core events namespaces nodes pods
  read extensions deployments
system:kube-aggregator
  read core endpoints services
system:kube-controller-manager for user:system:kube-controller-manager
  events
  create coordination.k8s.io leases
  get,update coordination.k8s.io leases named kube-controller-manager
  create core secrets serviceaccounts
  delete core secrets
  get core configmaps namespaces secrets serviceaccounts
  update core secrets serviceaccounts
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
  list,watch * *
  create core serviceaccounts/token
system:kube-dns for account:kube-dns
  list,watch core endpoints services
system:kube-scheduler for user:system:kube-scheduler
  events
  create coordination.k8s.io leases
  get,list,update,watch coordination.k8s.io leases named kube-scheduler
  all coordination.k8s.io leasecandidates
  read core nodes
  delete,get,list,watch core pods
  create core bindings pods/binding
  patch,update core pods/status
  read core replicationcontrollers services
  read apps,extensions replicasets
  read apps statefulsets
  read policy poddisruptionbudgets
  read core persistentvolumeclaims persistentvolumes
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
  read storage.k8s.io csinodes
  read storage.k8s.io volumeattachments
  read core namespaces
  read storage.k8s.io csidrivers
  read storage.k8s.io csistoragecapacities
  read resource.k8s.io deviceclasses
  get,list,patch,update,watch resource.k8s.io resourceclaims
  get,list,patch,update,watch resource.k8s.io resourceclaims/status
  update core pods/finalizers
  read resource.k8s.io resourceslices
  create,delete resource.k8s.io resourceclaims
  patch,update resource.k8s.io resourceclaims/binding
  read scheduling.k8s.io podgroups
  patch,update scheduling.k8s.io podgroups/status
system:kubelet-api-admin as orrery.dev:kubelet-api-admin for user:kube-apiserver-kubelet-client
  read core nodes
  proxy core nodes
  * core nodes/log nodes/metrics nodes/proxy nodes/stats
  * core nodes/configz nodes/healthz nodes/pods
system:node-bootstrapper as orrery.dev:kubelet-bootstrap for group:system:bootstrappers:orrery:default-node-token
  create,get,list,watch certificates.k8s.io certificatesigningrequests
system:node-problem-detector
  get core nodes
  patch core nodes/status
  events
system:node-proxier for user:system:kube-proxy
  list,watch core endpoints services
  read core nodes
  events
  list,watch networking.k8s.io servicecidrs
  list,watch discovery.k8s.io endpointslices
system:persistent-volume-provisioner
  create,delete,get,list,watch core persistentvolumes
  get,list,update,watch core persistentvolumeclaims
  read storage.k8s.io storageclasses
  watch core events
  events
system:volume-scheduler for user:system:kube-scheduler
  get,list,patch,update,watch core persistentvolumes
  read storage.k8s.io storageclasses
  get,list,patch,update,watch core persistentvolumeclaims
`),
];
