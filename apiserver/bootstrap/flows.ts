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

interface Level {
  readonly name: string;
  readonly shares: number;
  readonly lendablePercent: number;
  readonly queues: number;
  readonly handSize: number;
}
const suggestedLevels: readonly Level[] = [
  { name: "system", shares: 30, lendablePercent: 33, queues: 64, handSize: 6 },
  { name: "node-high", shares: 40, lendablePercent: 25, queues: 64, handSize: 6 },
  { name: "leader-election", shares: 10, lendablePercent: 0, queues: 16, handSize: 4 },
  { name: "workload-high", shares: 40, lendablePercent: 50, queues: 128, handSize: 6 },
  { name: "workload-low", shares: 100, lendablePercent: 90, queues: 128, handSize: 6 },
  { name: "global-default", shares: 20, lendablePercent: 50, queues: 128, handSize: 6 },
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
  ...suggestedLevels.map(({ name, shares, lendablePercent, queues, handSize }) =>
    level(name, {
      type: "Limited",
      limited: {
        nominalConcurrencyShares: shares,
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
const ofNodes = {
  verbs: ["*"],
  apiGroups: [""],
  resources: ["nodes", "nodes/status"],
  clusterScope: true,
  namespaces: ["*"],
};
const health = { verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] };

interface Flow {
  readonly level: string;
  readonly precedence: number;
  /** How requests of the schema are divided into flows. */
  readonly by?: "ByUser" | "ByNamespace";
  readonly subjects: readonly FlowcontrolV1Subject[];
  readonly rules?: object;
}
const flows: Readonly<Record<string, Flow>> = {
  exempt: { level: "exempt", precedence: 1, subjects: groups("system:masters") },
  probes: { level: "exempt", precedence: 2, subjects: everybody, rules: { nonResourceRules: [health] } },
  "system-leader-election": {
    level: "leader-election",
    precedence: 100,
    by: "ByUser",
    subjects: [...users("system:kube-controller-manager", "system:kube-scheduler"), ...systemAccounts],
    rules: { resourceRules: [leases(["get", "create", "update"])] },
  },
  "system-node-high": {
    level: "node-high",
    precedence: 400,
    by: "ByUser",
    subjects: nodes,
    rules: { resourceRules: [ofNodes, leases(["*"])] },
  },
  "system-nodes": { level: "system", precedence: 500, by: "ByUser", subjects: nodes },
  "kube-controller-manager": {
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    subjects: users("system:kube-controller-manager"),
  },
  "kube-scheduler": {
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    subjects: users("system:kube-scheduler"),
  },
  "kube-system-service-accounts": {
    level: "workload-high",
    precedence: 900,
    by: "ByNamespace",
    subjects: systemAccounts,
  },
  "service-accounts": {
    level: "workload-low",
    precedence: 9000,
    by: "ByUser",
    subjects: groups("system:serviceaccounts"),
  },
  "global-default": { level: "global-default", precedence: 9900, by: "ByUser", subjects: everybody },
  "catch-all": { level: "catch-all", precedence: 10_000, by: "ByUser", subjects: everybody },
};

function flow(name: string, { level: to, precedence, by, subjects, rules = everything }: Flow): Given {
  const spec: FlowSchema["spec"] = {
    priorityLevelConfiguration: { name: to },
    matchingPrecedence: precedence,
    ...(by && { distinguisherMethod: { type: by } }),
    rules: [{ subjects, ...rules } as PolicyRulesWithSubjects],
  };
  return [flowSchemas, { metadata: metadata(name), spec }];
}

/** Levels first: a flow that leads nowhere would be dangling. */
export const flowControl: readonly Given[] = [
  ...levels,
  ...Object.entries(flows).map(([name, told]) => flow(name, told)),
];
