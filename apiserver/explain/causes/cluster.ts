// Why nodes are not ready or cannot be drained, namespaces do not go away, and certificates are not issued.
import { certificateSigningRequests } from "../../../api/certificates/certificatesigningrequests.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { podDisruptionBudgets } from "../../../api/policy/poddisruptionbudgets.ts";
import type { Cause } from "../../../api/explanation/explanation.ts";
import type {
  CertificateSigningRequest,
  Namespace,
  Node,
  Pod,
  PodDisruptionBudget,
} from "../../../api/generated/types.ts";
import { selects } from "../../../api/selector.ts";
import { asDesired, failing, type Finding, progressing, waiting } from "../finding.ts";
import type { Reader } from "../reader.ts";
import { causeRule } from "../rule.ts";
import { budgetCause } from "./policies.ts";

export interface NodeObservation {
  /** Of a cordoned node: budgets that allow none of its pods to be evicted. */
  readonly blocking: readonly PodDisruptionBudget[];
}

const isReadyNode = ({ status, spec }: Node): boolean =>
  conditionOf(status?.conditions, "Ready")?.status === "True" && spec?.unschedulable !== true;

async function observeNode(node: Node, reader: Reader): Promise<NodeObservation> {
  if (node.spec?.unschedulable !== true) return { blocking: [] };
  const { items } = await reader.related(pods, "node", node.metadata.name);
  const byNamespace = Map.groupBy(items, ({ metadata }: Pod) => metadata.namespace ?? "");
  const blocking = [...byNamespace].map(async ([namespace, all]) => {
    const budgets = await reader.list(podDisruptionBudgets, namespace);
    if (budgets === "hidden") return [];
    const isBlocking = ({ spec, status }: PodDisruptionBudget): boolean =>
      (status?.disruptionsAllowed ?? 0) === 0 && all.some((pod) => selects(spec?.selector, pod.metadata.labels));
    return budgets.filter(isBlocking);
  });
  return { blocking: (await Promise.all(blocking)).flat() };
}

const pressures = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];
export function decideNode(node: Node, { blocking }: NodeObservation): Finding {
  const { status, spec, metadata } = node;
  const ready = conditionOf(status?.conditions, "Ready");
  const pressed = (status?.conditions ?? []).filter((c) => pressures.includes(c.type) && c.status === "True");
  const ofPressure = pressed.map(
    (c): Cause => ({
      reason: c.type,
      message: c.message ?? `${c.type} is True`,
      next: `free the resource on the node: orrery top node ${metadata.name}`,
    }),
  );
  if (ready?.status === "Unknown")
    return failing("is unreachable", {
      reason: "NodeUnreachable",
      message: `its kubelet has stopped reporting${ready.lastTransitionTime === undefined ? "" : ` since ${ready.lastTransitionTime}`}: ${ready.message ?? ""}`,
      next: `check the machine and its agent: orrery component-logs, orrery node start ${metadata.name}`,
    });
  if (ready?.status !== "True")
    return failing("is not ready", ...ofPressure, {
      reason: ready?.reason ?? "KubeletNotReporting",
      message: ready?.message ?? "its kubelet has not reported yet",
      next: "see the log of the node's agent: orrery component-logs",
    });
  const next = `orrery uncordon ${metadata.name}`;
  if (blocking.length > 0) return waiting("is cordoned, and cannot be drained", ...blocking.map(budgetCause));
  if (spec?.unschedulable === true)
    return waiting("is cordoned", {
      reason: "Cordoned",
      message: "spec.unschedulable is true, so no new pods are scheduled to it",
      next,
    });
  return ofPressure.length > 0 ? failing("is short of a resource", ...ofPressure) : asDesired("is ready");
}
export const nodeRule = causeRule({ kind: nodes, observe: observeNode, decide: decideNode, isAsDesired: isReadyNode });

/** Conditions of a namespace that is being deleted; in the order in which they explain it. */
const leftovers = [
  "NamespaceDeletionDiscoveryFailure",
  "NamespaceDeletionGroupVersionParsingFailure",
  "NamespaceDeletionContentFailure",
  "NamespaceFinalizersRemaining",
  "NamespaceContentRemaining",
];
export function decideNamespace({ metadata, spec, status }: Namespace): Finding {
  if (metadata.deletionTimestamp === undefined) return asDesired("is active");
  const causes = leftovers.flatMap((type): readonly Cause[] => {
    const condition = conditionOf(status?.conditions, type);
    if (condition?.status !== "True") return [];
    const isFinalizer = type === "NamespaceFinalizersRemaining";
    return [
      {
        reason: condition.reason ?? type,
        message: condition.message ?? type,
        next: isFinalizer
          ? "the controllers of these finalizers have to remove them; by hand, if they do not exist any more"
          : `see what is left, and why: orrery why -n ${metadata.name}`,
      },
    ];
  });
  if (causes.length > 0) return waiting("was deleted, and is not empty", ...causes);
  const finalizers = [...(spec?.finalizers ?? []), ...(metadata.finalizers ?? [])].filter((f) => f !== "kubernetes");
  if (finalizers.length > 0)
    return waiting("was deleted and is kept by finalizers", {
      reason: "FinalizersPending",
      message: `the finalizers ${finalizers.join(", ")} have not been removed`,
      next: "their controllers remove them",
    });
  return progressing("is being deleted");
}
export const namespaceRule = causeRule({
  kind: namespaces,
  observe: async () => undefined,
  decide: decideNamespace,
  isAsDesired: ({ metadata }: Namespace) => metadata.deletionTimestamp === undefined,
});

const conditionNamed = ({ status }: CertificateSigningRequest, type: string) => conditionOf(status?.conditions, type);
const isIssued = ({ status }: CertificateSigningRequest): boolean => (status?.certificate ?? "") !== "";
export function decideRequest(request: CertificateSigningRequest): Finding {
  const { metadata, spec } = request;
  if (isIssued(request)) return asDesired("its certificate is issued");
  const refused = conditionNamed(request, "Denied") ?? conditionNamed(request, "Failed");
  if (refused)
    return failing(`was ${refused.type === "Denied" ? "denied" : "not signed"}`, {
      reason: refused.reason ?? refused.type,
      message: refused.message ?? "",
      next: "correct the request and send it again",
    });
  if (conditionNamed(request, "Approved"))
    return waiting("is approved and not signed", {
      reason: "NotSigned",
      message: `no signer "${spec.signerName}" has issued the certificate`,
      next: "run a controller that signs for it",
    });
  return waiting("waits for approval", {
    reason: "NotApproved",
    message: `nobody has approved or denied the request of ${spec.username ?? "its user"}`,
    next: `orrery certificate approve ${metadata.name}`,
  });
}
export const certificateRequestRule = causeRule({
  kind: certificateSigningRequests,
  observe: async () => undefined,
  decide: decideRequest,
  isAsDesired: isIssued,
});
