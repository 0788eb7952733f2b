// Wires budgets to the pods they are about, and to who decides how many of those there are.
import type { Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { controllerOf, key, keyOf, type Key, type OwnerReference } from "../../api/meta.ts";
import { selects } from "../../api/selector.ts";
import { itself, type Controller } from "../../machinery/controller.ts";
import type { ControllerViews } from "../views.ts";
import { decide, type Observed, type Scale } from "./decide.ts";

export type Views = Pick<
  ControllerViews,
  "podDisruptionBudgets" | "pods" | "deployments" | "replicaSets" | "replicationControllers" | "statefulSets"
>;

interface Scaled {
  readonly metadata: { readonly uid: string };
  readonly spec: { readonly replicas?: number };
}
const scale = ({ metadata: { uid }, spec: { replicas = 1 } }: Scaled): Scale => ({ uid, replicas });

/** A set that a deployment made is not asked: the deployment is. */
function scaleOf(views: Views, namespace: string | undefined, { kind, name, uid }: OwnerReference): Scale | undefined {
  const k = key(namespace, name);
  const own = <T extends Scaled>(found: T | undefined): T | undefined =>
    found?.metadata.uid === uid ? found : undefined;
  if (kind === "ReplicationController" || kind === "StatefulSet") {
    const view = kind === "StatefulSet" ? views.statefulSets : views.replicationControllers;
    const found = own(view.lister.get(k) as Scaled | undefined);
    return found && scale(found);
  }
  if (kind !== "ReplicaSet") return undefined;
  const set = own(views.replicaSets.lister.get(k));
  const above = set && controllerOf(set);
  if (above?.kind !== "Deployment") return set && scale(set);
  const deployment = views.deployments.lister.get(key(namespace, above.name));
  return deployment && scale(deployment);
}

export function disruptionController(views: Views): Controller<Observed> {
  // A budget without a selector is about nobody, one whose selector says nothing about everybody.
  const picks = ({ spec: { selector } }: PodDisruptionBudget, pod: Pod | undefined): boolean =>
    selector !== undefined && pod !== undefined && selects(selector, pod.metadata.labels);
  const budgetsOf = (pod: Pod, before?: Pod): readonly Key[] =>
    views.podDisruptionBudgets.lister
      .byIndex("namespace", pod.metadata.namespace ?? "")
      .filter((budget) => picks(budget, pod) || picks(budget, before))
      .map(keyOf);
  return {
    name: "disruption",
    watches: [
      { informer: views.podDisruptionBudgets, keys: itself },
      { informer: views.pods, keys: budgetsOf },
    ],
    observe: (k) => {
      const budget = views.podDisruptionBudgets.lister.get(k);
      if (budget === undefined) return undefined;
      const { namespace } = budget.metadata;
      return {
        budget,
        pods: views.pods.lister.byIndex("namespace", namespace ?? "").filter((pod) => picks(budget, pod)),
        scaleOf: (controller) => scaleOf(views, namespace, controller),
      };
    },
    decide,
  };
}
