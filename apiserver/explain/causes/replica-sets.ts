// Why a ReplicaSet or a ReplicationController does not have its pods.
import { replicaSets } from "../../../api/apps/replicasets.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import { replicationControllers } from "../../../api/core/replicationcontrollers.ts";
import type { ReplicaSet, ReplicationController } from "../../../api/generated/types.ts";
import { asDesired, type Finding } from "../finding.ts";
import { type CauseRule, causeRule } from "../rule.ts";
import {
  deletionFinding,
  findingWith,
  isUnseen,
  observePods,
  podCauses,
  type PodsObservation,
  unseen,
} from "./replicated.ts";
import { refusedCreation } from "./refused-creation.ts";

type Set = ReplicaSet | ReplicationController;

const hasItsPods = ({ spec, status }: Set): boolean =>
  (status?.readyReplicas ?? 0) === (spec?.replicas ?? 1) && (status?.replicas ?? 0) === (spec?.replicas ?? 1);

export function decideSet(set: Set, observed: PodsObservation): Finding {
  const { spec, status, metadata } = set;
  const deletion = deletionFinding(set);
  if (deletion) return deletion;
  const [desired, ready, created] = [spec?.replicas ?? 1, status?.readyReplicas ?? 0, status?.replicas ?? 0];
  if (hasItsPods(set)) return asDesired(desired === 0 ? "is scaled to zero" : `has its ${desired} ready pods`);
  const failure = conditionOf(status?.conditions, "ReplicaFailure");
  const refused = failure?.status === "True" ? refusedCreation(failure.message ?? "", metadata.namespace) : undefined;
  const causes = podCauses(set, observed, refused);
  if (causes.length === 0 && isUnseen(set, status)) return unseen();
  const missing = created < desired ? `, and ${desired - created} are not created` : "";
  return findingWith(`${ready} of ${desired} pods are ready${missing}`, causes, refused ? [] : observed.pods);
}

const ruleOf = <T extends Set>(kind: CauseRule<T>["kind"]): CauseRule<T> =>
  causeRule<T, PodsObservation>({ kind, observe: observePods, decide: decideSet, isAsDesired: hasItsPods });
export const replicaSetRule = ruleOf<ReplicaSet>(replicaSets);
export const replicationControllerRule = ruleOf<ReplicationController>(replicationControllers);
