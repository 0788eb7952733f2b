// Wires the deployment's decision to the views it reads.
import type { Deployment, Pod, ReplicaSet } from "../../api/generated/types.ts";
import { controllerOf, key, keyOf, type Key } from "../../api/meta.ts";
import { selects } from "../../api/selector.ts";
import { itself, managedBy, type Controller } from "../../machinery/controller.ts";
import type { Informer } from "../../machinery/informer.ts";
import { decide, type Observed } from "./decide.ts";
import { templateHash } from "./template.ts";

export interface Views {
  /** Indexed by `namespace`. */
  readonly deployments: Informer<Deployment>;
  /** Indexed by `owner`. */
  readonly replicaSets: Informer<ReplicaSet>;
  /** Indexed by `owner`. */
  readonly pods: Informer<Pod>;
}

export function deploymentController(views: Views): Controller<Observed> {
  /** Recreate waits for the last old pod to be gone. */
  const ofPod = (pod: Pod): readonly Key[] => {
    const gone = views.pods.lister.get(key(pod.metadata.namespace, pod.metadata.name)) === undefined;
    const set = gone ? managedBy("ReplicaSet")(pod).map((k) => views.replicaSets.lister.get(k))[0] : undefined;
    return set ? managedBy("Deployment")(set) : [];
  };
  /** A set nobody controls may be one a deployment has been looking for. */
  const seekers = (set: ReplicaSet): readonly Key[] =>
    controllerOf(set) !== undefined
      ? []
      : views.deployments.lister
          .byIndex("namespace", set.metadata.namespace ?? "")
          .filter((d) => selects(d.spec.selector, set.metadata.labels))
          .map(keyOf);
  const ofSet = (set: ReplicaSet, before?: ReplicaSet): readonly Key[] => [
    ...[set, ...(before ? [before] : [])].flatMap(managedBy("Deployment")),
    ...seekers(set),
  ];
  return {
    name: "deployment",
    watches: [
      { informer: views.deployments, keys: itself },
      { informer: views.replicaSets, keys: ofSet },
      { informer: views.pods, keys: ofPod },
    ],
    observe: (k) => {
      const deployment = views.deployments.lister.get(k);
      if (deployment === undefined) return undefined;
      const { uid, namespace } = deployment.metadata;
      const sets = [
        ...views.replicaSets.lister.byIndex("owner", uid),
        ...views.replicaSets.lister
          .byIndex("owner", "")
          .filter((s) => s.metadata.namespace === namespace && selects(deployment.spec.selector, s.metadata.labels)),
      ];
      const pods =
        deployment.spec.strategy?.type === "Recreate"
          ? sets.flatMap((s) => views.pods.lister.byIndex("owner", s.metadata.uid))
          : [];
      const namesake = views.replicaSets.lister.get(
        key(deployment.metadata.namespace, `${deployment.metadata.name}-${templateHash(deployment)}`),
      );
      const nameTaken = namesake !== undefined && controllerOf(namesake)?.uid !== deployment.metadata.uid;
      return { deployment, sets, pods, nameTaken };
    },
    decide,
  };
}
