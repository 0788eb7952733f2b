// Roles for users. Those for namespaces, `admin`, `edit` and `view`, are aggregated by label, so that new kinds can add
// rules to them. Source: Kubernetes' default roles (the page "Using RBAC Authorization").
import type { ClusterRole } from "../../../api/generated/types.ts";
import { aggregatedRules } from "../../../api/rbac/aggregation.ts";
import { rbacGroup } from "../../../api/rbac/roles.ts";
import { type AccessRow, clusterRole, rolesIn, rulesIn } from "./text.ts";

const simple = rolesIn(`
cluster-admin for group:system:masters
  * * *
  * *
system:basic-user for group:system:authenticated
  create authorization.k8s.io selfsubjectaccessreviews selfsubjectrulesreviews
  create authentication.k8s.io selfsubjectreviews
system:discovery for group:system:authenticated
  get /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/
system:public-info-viewer for group:system:authenticated group:system:unauthenticated
  get /healthz /livez /readyz /version /version/
system:service-account-issuer-discovery for group:system:serviceaccounts
  get /.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/
system:monitoring for group:system:monitoring
  get /flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz
  get core nodes/metrics
`);

const view = rulesIn(`
  read core configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status
  read core bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status
  read core namespaces
  read core,events.k8s.io events
  read discovery.k8s.io endpointslices
  read apps controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status
  read autoscaling horizontalpodautoscalers horizontalpodautoscalers/status
  read batch cronjobs cronjobs/status jobs jobs/status
  read extensions daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale
  read policy poddisruptionbudgets poddisruptionbudgets/status
  read networking.k8s.io ingresses ingresses/status networkpolicies
  read resource.k8s.io resourceclaims resourceclaims/status resourceclaimtemplates
  read scheduling.k8s.io podgroups podgroups/status workloads
`);
const edit = rulesIn(`
  read core pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy
  impersonate core serviceaccounts
  write core pods pods/attach pods/exec pods/portforward pods/proxy
  create core pods/eviction
  write core configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy
  create core serviceaccounts/token
  write core,events.k8s.io events
  write apps daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale
  write autoscaling horizontalpodautoscalers
  write batch cronjobs jobs
  write extensions daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale
  write policy poddisruptionbudgets
  write networking.k8s.io ingresses networkpolicies
  all coordination.k8s.io leases
  write resource.k8s.io resourceclaims resourceclaimtemplates
  write scheduling.k8s.io podgroups workloads
`);
const admin = rulesIn(`
  create authorization.k8s.io localsubjectaccessreviews
  all rbac.authorization.k8s.io rolebindings roles
`);

const addsTo = (sum: string): Readonly<Record<string, string>> => ({ [`${rbacGroup}/aggregate-to-${sum}`]: "true" });
const parts = [
  clusterRole("system:aggregate-to-admin", admin, addsTo("admin")),
  clusterRole("system:aggregate-to-edit", edit, addsTo("edit")),
  clusterRole("system:aggregate-to-view", view, addsTo("view")),
];

/** A role of the rules of others, as they are at the start; a controller keeps them up to date. */
function sumOf(name: string, labels: object, others: readonly AccessRow[]): AccessRow {
  const [r, role] = clusterRole(name, [], labels);
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: addsTo(name) }] };
  const sum = { ...role, aggregationRule } as object as ClusterRole;
  const rules = aggregatedRules(
    sum,
    others.map(([, other]) => other as object as ClusterRole),
  );
  return [r, { ...sum, rules }];
}
const viewer = sumOf("view", addsTo("edit"), parts);
const editor = sumOf("edit", addsTo("admin"), [...parts, viewer]);

export const userRoles: readonly AccessRow[] = [
  ...simple,
  ...parts,
  viewer,
  editor,
  sumOf("admin", {}, [...parts, viewer, editor]),
];
