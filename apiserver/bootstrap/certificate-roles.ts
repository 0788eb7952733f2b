// Roles for certificates and for joining nodes: who may request, approve and sign, and what holders of a bootstrap
// token may do. Source: Kubernetes' pages "TLS bootstrapping" and "Authenticating with Bootstrap Tokens".
import type { PolicyRule } from "../../api/generated/types.ts";
import { certificateSigningRequests } from "../../api/certificates/certificatesigningrequests.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { clusterRoleBindings, roleBindings } from "../../api/rbac/rolebindings.ts";
import { clusterRoles, rbacGroup, roles } from "../../api/rbac/roles.ts";

type BootstrapObject = readonly [ResourceDefinition, object];

/** The group of bootstrap tokens whose holders may join as nodes. */
export const joiningGroup = "system:bootstrappers:orrery:default-node-token";
/** The ConfigMap in kube-public by which a machine learns how to trust the cluster. */
export const clusterInfo = { namespace: "kube-public", name: "cluster-info" };

/** The ConfigMap with what the nodes of a cluster agree on. */
export const nodeSettings = { namespace: "kube-system", name: "orrery-node-settings" };

const { group, plural } = certificateSigningRequests;
const marks = {
  labels: { "kubernetes.io/bootstrapping": "rbac-defaults" },
  annotations: { "rbac.authorization.kubernetes.io/autoupdate": "true" },
};

const clusterRole = (name: string, ...rules: readonly PolicyRule[]): BootstrapObject => [
  clusterRoles,
  { metadata: { name, ...marks }, rules },
];
const requests = (resource: string, ...verbs: readonly string[]): PolicyRule => ({
  ...{ apiGroups: [group], resources: [resource], verbs },
});

const prefix = `system:certificates.k8s.io`;
/** Rights by which requests of nodes are approved without anyone's doing. */
const [nodeClient, selfNodeClient] = ["nodeclient", "selfnodeclient"].map(
  (name) => [`${prefix}:${plural}:${name}`, name] as const,
) as [readonly [string, string], readonly [string, string]];
const approvers = ["kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown"];

const clusterBinding = (name: string, role: string, groupName: string): BootstrapObject => [
  clusterRoleBindings,
  {
    metadata: { name, ...marks },
    roleRef: { apiGroup: rbacGroup, kind: "ClusterRole", name: role },
    subjects: [{ apiGroup: rbacGroup, kind: "Group", name: groupName }],
  },
];

/** A role to read one ConfigMap, and its subjects. */
function reads(
  { namespace, name }: typeof clusterInfo,
  ...subjects: readonly (readonly [kind: string, name: string])[]
): readonly BootstrapObject[] {
  const metadata = { name: `orrery:${name}`, namespace, ...marks };
  const rule = { apiGroups: [""], resources: ["configmaps"], resourceNames: [name], verbs: ["get"] };
  return [
    [roles, { metadata, rules: [rule] }],
    [
      roleBindings,
      {
        metadata,
        roleRef: { apiGroup: rbacGroup, kind: "Role", name: metadata.name },
        subjects: subjects.map(([kind, subject]) => ({ apiGroup: rbacGroup, kind, name: subject })),
      },
    ],
  ];
}

/** The roles, and who has them. */
export const certificateRoles: readonly BootstrapObject[] = [
  ...[nodeClient, selfNodeClient].map(([name, subresource]) =>
    clusterRole(name, requests(`${plural}/${subresource}`, "create")),
  ),
  ...approvers.map((signer) =>
    clusterRole(`${prefix}:${signer}-approver`, {
      ...requests("signers", "approve"),
      resourceNames: [`kubernetes.io/${signer}`],
    }),
  ),
  clusterRole("system:node-bootstrapper", requests(plural, "create", "get", "list", "watch")),
  clusterRole("orrery:get-nodes", { apiGroups: [""], resources: ["nodes"], verbs: ["get"] }),
  clusterBinding("orrery:kubelet-bootstrap", "system:node-bootstrapper", joiningGroup),
  clusterBinding("orrery:get-nodes", "orrery:get-nodes", joiningGroup),
  clusterBinding("orrery:node-autoapprove-bootstrap", nodeClient[0], joiningGroup),
  clusterBinding("orrery:node-autoapprove-certificate-rotation", selfNodeClient[0], "system:nodes"),
  ...reads(clusterInfo, ["User", "system:anonymous"]),
  ...reads(nodeSettings, ["Group", joiningGroup], ["Group", "system:nodes"]),
];
