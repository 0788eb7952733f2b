// The cluster roles of a fresh cluster. The three for namespaces are aggregated by label, so that new kinds can add
// rules to them.
import { everything } from "../authorization/authorizer.ts";
import type { PolicyRule } from "../../api/generated/types.ts";
import { clusterRoleBindings } from "../../api/rbac/rolebindings.ts";
import { clusterRoles, rbacGroup } from "../../api/rbac/roles.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";

type Given = readonly [ResourceDefinition, object];

const words = (text: string): readonly string[] => text.split(" ");
/** Verbs on resources of one group, each separated by spaces. */
const rule = (verbs: string, group: string, resources: string): PolicyRule => ({
  apiGroups: [group],
  resources: words(resources),
  verbs: words(verbs),
});
const paths = (urls: string): PolicyRule => ({ nonResourceURLs: words(urls), verbs: ["get"] });

const verbSets: Readonly<Record<string, string>> = {
  read: "get list watch",
  write: "create delete deletecollection patch update",
  all: "create delete deletecollection get list patch update watch",
};
/** Rules as lines of a verb or a set of verbs, a group, and resources. */
const rulesIn = (text: string): readonly PolicyRule[] =>
  text
    .trim()
    .split("\n")
    .map((line) => {
      const [verbs = "", group = "", ...resources] = words(line);
      return rule(verbSets[verbs] ?? verbs, group === "core" ? "" : group, resources.join(" "));
    });

const view = rulesIn(`
read core configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status
read core bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status
read core namespaces
read discovery.k8s.io endpointslices
read apps controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status
read autoscaling horizontalpodautoscalers horizontalpodautoscalers/status
read batch cronjobs cronjobs/status jobs jobs/status
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
write core configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy
create core serviceaccounts/token
write apps daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale
write autoscaling horizontalpodautoscalers
write batch cronjobs jobs
write policy poddisruptionbudgets
write networking.k8s.io ingresses networkpolicies
all coordination.k8s.io leases
write resource.k8s.io resourceclaims resourceclaimtemplates
write scheduling.k8s.io podgroups workloads
`);
const administer = rulesIn(`
create authorization.k8s.io localsubjectaccessreviews
all rbac.authorization.k8s.io rolebindings roles
`);

const bootstrapping = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "true" };
const addsTo = (sum: string): Readonly<Record<string, string>> => ({ [`${rbacGroup}/aggregate-to-${sum}`]: "true" });

const role = (name: string, rules: readonly PolicyRule[], labels: object = {}, more: object = {}): Given => [
  clusterRoles,
  { metadata: { name, labels: { ...bootstrapping, ...labels }, annotations }, rules, ...more },
];
const sumOf = (name: string): object => ({
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: addsTo(name) }] },
});

const roles: readonly Given[] = [
  role("cluster-admin", everything),
  role("system:aggregate-to-admin", administer, addsTo("admin")),
  role("system:aggregate-to-edit", edit, addsTo("edit")),
  role("system:aggregate-to-view", view, addsTo("view")),
  role("admin", [...administer, ...edit, ...view], {}, sumOf("admin")),
  role("edit", [...edit, ...view], addsTo("admin"), sumOf("edit")),
  role("view", view, addsTo("edit"), sumOf("view")),
  role("system:basic-user", [
    rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
    rule("create", "authentication.k8s.io", "selfsubjectreviews"),
  ]),
  role("system:discovery", [
    paths("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/"),
  ]),
  role("system:service-account-issuer-discovery", [
    paths("/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/"),
  ]),
  role("system:public-info-viewer", [paths("/healthz /livez /readyz /version /version/")]),
];

const binding = (name: string, ...groups: readonly string[]): Given => [
  clusterRoleBindings,
  {
    metadata: { name, labels: bootstrapping, annotations },
    roleRef: { kind: "ClusterRole", name },
    subjects: groups.map((group) => ({ kind: "Group", name: group })),
  },
];

/** Roles, and their default subjects. */
export const clusterRolesAndBindings: readonly Given[] = [
  ...roles,
  binding("cluster-admin", "system:masters"),
  binding("system:basic-user", "system:authenticated"),
  binding("system:discovery", "system:authenticated"),
  binding("system:service-account-issuer-discovery", "system:serviceaccounts"),
  binding("system:public-info-viewer", "system:authenticated", "system:unauthenticated"),
];
