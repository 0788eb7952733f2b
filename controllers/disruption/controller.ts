// PodDisruptionBudget: observes the pods a budget selects, and the controllers that say how many there are to be.
import { deployments } from "../../api/apps/deployments.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { statefulSets } from "../../api/apps/statefulsets.ts";
import { pods } from "../../api/core/pods.ts";
import { replicationControllers } from "../../api/core/replicationcontrollers.ts";
import type { Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { controllerOf, key, keyOf, type OwnerReference } from "../../api/meta.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { controller, type KeysOf, type Views, watch } from "../../machinery/controller.ts";
import { byLabels, selectedBy, selectorsOf } from "../../machinery/selector-index.ts";
import { decide, type Scale } from "./decide.ts";

interface Scaled {
  readonly metadata: { readonly uid: string };
  readonly spec: { readonly replicas?: number };
}
const scale = ({ metadata: { uid }, spec: { replicas = 1 } }: Scaled): Scale => ({ uid, replicas });

/** The scale of a pod's controller: for a set that a deployment controls, the deployment's. */
function scaleOf(views: Views, namespace: string | undefined, { kind, name, uid }: OwnerReference): Scale | undefined {
  const k = key(namespace, name);
  const own = <T extends Scaled>(found: T | undefined): T | undefined =>
    found?.metadata.uid === uid ? found : undefined;
  if (kind === "ReplicationController" || kind === "StatefulSet") {
    const view = kind === "StatefulSet" ? views.of(statefulSets) : views.of(replicationControllers);
    const found = own(view.get(k) as Scaled | undefined);
    return found && scale(found);
  }
  if (kind !== "ReplicaSet") return undefined;
  const set = own(views.of(replicaSets).get(k));
  const above = set && controllerOf(set);
  if (above?.kind !== "Deployment") return set && scale(set);
  const deployment = views.of(deployments).get(key(namespace, above.name));
  return deployment && scale(deployment);
}

/** A budget without a selector selects no pod; one whose selector is empty, every pod of its namespace. */
const selectorOf = ({ spec: { selector } }: PodDisruptionBudget) => selector;

const budgetsOf: KeysOf<Pod> = (pod, { before, views }) =>
  [pod, ...(before ? [before] : [])]
    .flatMap((p) => selectorsOf(views.of(podDisruptionBudgets), selectorOf, p))
    .map(keyOf);

export const disruptionController = controller({
  name: "disruption",
  reconciles: podDisruptionBudgets,
  selectorOf,
  watches: [
    watch(pods, budgetsOf, byLabels),
    watch(deployments),
    watch(replicaSets),
    watch(replicationControllers),
    watch(statefulSets),
  ],
  writes: [{ kind: podDisruptionBudgets, subresource: "status", verbs: ["update"] }],
  observe(views, k) {
    const budget = views.of(podDisruptionBudgets).get(k);
    if (budget === undefined) return undefined;
    const { namespace } = budget.metadata;
    const selector = selectorOf(budget);
    return {
      budget,
      pods: selector ? selectedBy(views.of(pods), namespace, selector) : [],
      scaleOf: (owner) => scaleOf(views, namespace, owner),
    };
  },
  decide,
});
