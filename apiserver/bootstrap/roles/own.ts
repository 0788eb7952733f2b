// Roles for what Orrery's components do and Kubernetes' do not, or do elsewhere: each has those rights and no others.
import { type AccessRow, controllerRolesIn, rolesIn } from "./text.ts";

/**
 * `orrery.dev:apiserver` is for requests to other API servers: for explanations and metrics by the one that leads.
 * `orrery.dev:metrics-reader` is for users: what it shows is of the complete cluster.
 */
const components = rolesIn(`
orrery.dev:apiserver for user:kube-apiserver-kubelet-client
  get core pods services
  get,post /prometheus/*
orrery.dev:metrics-reader for group:system:monitoring
  get,post /prometheus/*
orrery.dev:monitoring for user:system:orrery-monitoring
  events
  list,watch core nodes pods services
  list,watch apps daemonsets deployments statefulsets
  list,watch discovery.k8s.io endpointslices
kube-system/orrery.dev:monitoring for user:system:orrery-monitoring
  list,watch core configmaps
  create,get,list,update,watch coordination.k8s.io leases
orrery.dev:tracing for group:system:nodes
  post /traces
orrery.dev:history for group:system:authenticated
  get /history/revisions
orrery.dev:joining-nodes for group:system:bootstrappers:orrery:default-node-token
  get,list core nodes
orrery.dev:approve-network for group:system:nodes
  create certificates.k8s.io certificatesigningrequests/networkclient
orrery.dev:approve-csi for group:system:nodes
  create certificates.k8s.io certificatesigningrequests/csiclient
kube-system/orrery.dev:node-settings for group:system:nodes group:system:bootstrappers:orrery:default-node-token
  get core configmaps named orrery-node-settings
kube-public/orrery.dev:cluster-info for user:system:anonymous
  get core configmaps named cluster-info
kube-public/orrery.dev:bootstrap-signer for account:bootstrap-signer
  create core configmaps
orrery.dev:network for user:system:kube-proxy
  list,watch core namespaces pods
  list,watch networking.k8s.io networkpolicies
kube-system/orrery.dev:network for user:system:kube-proxy
  create core services
orrery.dev:cluster-autoscaler for user:system:cluster-autoscaler
  events
  list,watch core nodes persistentvolumeclaims persistentvolumes pods
  list,watch apps daemonsets
  list,watch policy poddisruptionbudgets
  delete,patch core nodes
  create core pods/eviction
  delete,patch core persistentvolumes
  get,patch core persistentvolumeclaims
kube-system/orrery.dev:cluster-autoscaler for user:system:cluster-autoscaler
  create,get,patch core configmaps
orrery.dev:csi-drivers for group:orrery.dev:csi-drivers
  events
  list,watch core persistentvolumeclaims persistentvolumes
  list,watch storage.k8s.io csinodes storageclasses volumeattachments volumeattributesclasses
  patch core persistentvolumeclaims
  update core persistentvolumeclaims/status
  create,delete,patch,update core persistentvolumes
  list,watch snapshot.storage.k8s.io volumesnapshotclasses volumesnapshotcontents volumesnapshots
  patch snapshot.storage.k8s.io volumesnapshotcontents
  update snapshot.storage.k8s.io volumesnapshotcontents/status
  patch storage.k8s.io volumeattachments
  update storage.k8s.io volumeattachments/status
  list,watch storage.k8s.io csistoragecapacities
kube-system/orrery.dev:csi-drivers for group:orrery.dev:csi-drivers
  create,delete,update storage.k8s.io csistoragecapacities
  create,get,list,update,watch coordination.k8s.io leases
`);

/** Beside the roles that Kubernetes gives to the same controllers. */
const controllers = controllerRolesIn(
  "orrery.dev:controller:",
  `
certificate-controller
  approve certificates.k8s.io signers named kubernetes.io/kube-apiserver-client kubernetes.io/kubelet-serving
deployment-controller
  patch apps deployments
descheduler
  create core pods/eviction
  events
endpointslice-controller
  create,delete,update core endpoints
flowschema-controller
  update flowcontrol.apiserver.k8s.io flowschemas/status
horizontal-pod-autoscaler
  patch * */scale
pod-garbage-collector
  update core pods/status
resourcequota-controller
  get core resourcequotas
serviceaddress-controller
  create,delete networking.k8s.io ipaddresses
snapshot-controller
  events
  patch,update snapshot.storage.k8s.io volumesnapshots
  update snapshot.storage.k8s.io volumesnapshots/status
  create,delete,patch,update snapshot.storage.k8s.io volumesnapshotcontents
  patch core persistentvolumeclaims
tokens-controller
  delete,update core secrets
  get core serviceaccounts
`,
);

export const ownRoles: readonly AccessRow[] = [...components, ...controllers];
