// Deployment: owns replica sets, and observes pods only to detect when the last one of an old version is deleted.
import { deployments } from "../../api/apps/deployments.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { pods } from "../../api/core/pods.ts";
import type { Pod } from "../../api/generated/types.ts";
import { controllerOf, key } from "../../api/meta.ts";
import { byController, controller, type KeysOf, managedBy, watch } from "../../machinery/controller.ts";
import { decide } from "./decide.ts";
import { templateHash } from "./rollout.ts";

/** The strategy Recreate waits until the last old pod is deleted. */
const deploymentOfGonePod: KeysOf<Pod> = (pod, { type, views }) => {
  const set = type === "deleted" ? managedBy("ReplicaSet")(pod).map((k) => views.of(replicaSets).get(k))[0] : undefined;
  return set ? managedBy("Deployment")(set) : [];
};

export const deploymentController = controller({
  name: "deployment",
  reconciles: deployments,
  owns: [replicaSets],
  selectorOf: (deployment) => deployment.spec.selector,
  watches: [watch(pods, deploymentOfGonePod, byController)],
  writes: [
    { kind: deployments, verbs: ["patch"] },
    { kind: replicaSets, verbs: ["update"] },
    { kind: deployments, subresource: "status", verbs: ["update"] },
  ],
  observe(views, k) {
    const deployment = views.of(deployments).get(k);
    if (deployment === undefined) return undefined;
    const { uid, namespace, name } = deployment.metadata;
    const sets = views.childrenOf(replicaSets, deployment, deployment.spec.selector);
    const isRecreated = deployment.spec.strategy?.type === "Recreate";
    const podsOf = (set: { readonly metadata: { readonly uid: string } }): readonly Pod[] =>
      views.of(pods).byIndex("controller", set.metadata.uid);
    const namesake = views.of(replicaSets).get(key(namespace, `${name}-${templateHash(deployment)}`));
    const nameTaken = namesake !== undefined && controllerOf(namesake)?.uid !== uid;
    return { deployment, sets, pods: isRecreated ? sets.flatMap(podsOf) : [], nameTaken };
  },
  decide,
});
