// The rules by which causes are found, one for each kind that has a file in causes/.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject, Instant } from "../../api/meta.ts";
import { claimRule } from "./causes/claims.ts";
import { certificateRequestRule, namespaceRule, nodeRule } from "./causes/cluster.ts";
import { deploymentRule } from "./causes/deployments.ts";
import { decideGeneric } from "./causes/generic.ts";
import { cronJobRule, daemonSetRule, jobRule, statefulSetRule } from "./causes/pod-controllers.ts";
import { podRule } from "./causes/pod.ts";
import { autoscalerRule, budgetRule, quotaRule } from "./causes/policies.ts";
import { replicaSetRule, replicationControllerRule } from "./causes/replica-sets.ts";
import { ingressRule, serviceRule } from "./causes/services.ts";
import type { Finding } from "./finding.ts";
import type { Reader } from "./reader.ts";
import type { CauseRule } from "./rule.ts";

/** In the order in which lists show them. */
const rules = [
  ...[deploymentRule, statefulSetRule, daemonSetRule, replicaSetRule, replicationControllerRule, cronJobRule, jobRule],
  ...[podRule, serviceRule, ingressRule, claimRule, autoscalerRule, budgetRule, quotaRule],
  ...[nodeRule, namespaceRule, certificateRequestRule],
] as readonly unknown[] as readonly CauseRule[];
const byKind = new Map(rules.map((rule) => [`${rule.kind.group}/${rule.kind.kind}`, rule]));

/** The rule of a kind, also of another version of it. */
export const ruleOf = ({ group, kind }: Pick<ResourceDefinition, "group" | "kind">): CauseRule | undefined =>
  byKind.get(`${group}/${kind}`);

const groupOf = ({ apiVersion }: ApiObject): string => (apiVersion.includes("/") ? apiVersion.split("/")[0]! : "");

/** Why an object is as it is. */
export async function findingOf(object: ApiObject, reader: Reader, now: Instant): Promise<Finding> {
  const rule = ruleOf({ group: groupOf(object), kind: object.kind });
  return rule ? rule.find(object, reader, now) : decideGeneric(object);
}
