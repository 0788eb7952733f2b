// Flow control of a fresh cluster: priority levels and flow schemas. Two of each are mandatory; an administrator may
// change the others.
import type {
  FlowcontrolV1Subject,
  FlowSchema,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
} from "../../api/generated/types.ts";
import { flowSchemas, priorityLevelConfigurations } from "../../api/flowcontrol/flowschemas.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";

type Given = readonly [ResourceDefinition, object];

/** A later server may update these objects, unless the annotation is set to false. */
const metadata = (name: string): object => ({ name, annotations: { "apf.kubernetes.io/autoupdate-spec": "true" } });

/** Name, concurrency shares, lendable percent, queues, and hand size of the shuffle sharding. */
const suggestedLevels: readonly (readonly [string, number, number, number, number])[] = [
  ["system", 30, 33, 64, 6],
  ["node-high", 40, 25, 64, 6],
  ["leader-election", 10, 0, 16, 4],
  ["workload-high", 40, 50, 128, 6],
  ["workload-low", 100, 90, 128, 6],
  ["global-default", 20, 50, 128, 6],
];

const level = (name: string, spec: PriorityLevelConfiguration["spec"]): Given => [
  priorityLevelConfigurations,
  { metadata: metadata(name), spec },
];
const levels: readonly Given[] = [
  level("exempt", { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
  level("catch-all", {
    type: "Limited",
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: "Reject" } },
  }),
  ...suggestedLevels.map(([name, nominalConcurrencyShares, lendablePercent, queues, handSize]) =>
    level(name, {
      type: "Limited",
      limited: {
        nominalConcurrencyShares,
        lendablePercent,
        limitResponse: { type: "Queue", queuing: { queues, handSize, queueLengthLimit: 50 } },
      },
    }),
  ),
];

const groups = (...names: readonly string[]): readonly FlowcontrolV1Subject[] =>
  names.map((name) => ({ kind: "Group", group: { name } }));
const users = (...names: readonly string[]): readonly FlowcontrolV1Subject[] =>
  names.map((name) => ({ kind: "User", user: { name } }));
const systemAccounts: readonly FlowcontrolV1Subject[] = [
  { kind: "ServiceAccount", serviceAccount: { name: "*", namespace: "kube-system" } },
];
const everybody = groups("system:unauthenticated", "system:authenticated");
const nodes = groups("system:nodes");

const everything = {
  resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] }],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
};
const leases = (verbs: readonly string[]): object => ({
  verbs,
  apiGroups: ["coordination.k8s.io"],
  resources: ["leases"],
  namespaces: ["*"],
});
const nodeResources = ["nodes", "nodes/status"];
const ofNodes = { verbs: ["*"], apiGroups: [""], resources: nodeResources, clusterScope: true, namespaces: ["*"] };
const electionRules = { resourceRules: [leases(["get", "create", "update"])] };
const health = { verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] };

/** Name, priority level, precedence, subjects, how their requests are divided into flows, and rules. */
type Flow = readonly [
  string,
  string,
  number,
  readonly FlowcontrolV1Subject[],
  ("ByUser" | "ByNamespace" | undefined)?,
  object?,
];
const electing = [...users("system:kube-controller-manager", "system:kube-scheduler"), ...systemAccounts];
const flows: readonly Flow[] = [
  ["exempt", "exempt", 1, groups("system:masters")],
  ["probes", "exempt", 2, everybody, undefined, { nonResourceRules: [health] }],
  ["system-leader-election", "leader-election", 100, electing, "ByUser", electionRules],
  ["system-node-high", "node-high", 400, nodes, "ByUser", { resourceRules: [ofNodes, leases(["*"])] }],
  ["system-nodes", "system", 500, nodes, "ByUser"],
  ["kube-controller-manager", "workload-high", 800, users("system:kube-controller-manager"), "ByNamespace"],
  ["kube-scheduler", "workload-high", 800, users("system:kube-scheduler"), "ByNamespace"],
  ["kube-system-service-accounts", "workload-high", 900, systemAccounts, "ByNamespace"],
  ["service-accounts", "workload-low", 9000, groups("system:serviceaccounts"), "ByUser"],
  ["global-default", "global-default", 9900, everybody, "ByUser"],
  ["catch-all", "catch-all", 10_000, everybody, "ByUser"],
];

function flow([name, to, matchingPrecedence, subjects, by, rules = everything]: Flow): Given {
  const spec: FlowSchema["spec"] = {
    priorityLevelConfiguration: { name: to },
    matchingPrecedence,
    ...(by && { distinguisherMethod: { type: by } }),
    rules: [{ subjects, ...rules } as PolicyRulesWithSubjects],
  };
  return [flowSchemas, { metadata: metadata(name), spec }];
}

/** Levels first: a flow schema refers to its level. */
export const flowControl: readonly Given[] = [...levels, ...flows.map(flow)];
