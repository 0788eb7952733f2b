// StatefulSet: owns pods and revisions, and creates claims, which it does not control unless a policy says so.
import { controllerRevisions } from "../../api/apps/controllerrevisions.ts";
import { statefulSets } from "../../api/apps/statefulsets.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { pods } from "../../api/core/pods.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { controller, type KeysOf, watch } from "../../machinery/controller.ts";
import { decide } from "./decide.ts";

/** The sets whose pods may use a claim: its name ends with the name of the set and an ordinal. */
const setsOfClaim: KeysOf<PersistentVolumeClaim> = ({ metadata: { name, namespace } }, { views }) => {
  const parts = name.split("-").slice(1, -1);
  const names = parts.map((_, i) => parts.slice(i).join("-"));
  return names.map((set) => key(namespace, set)).filter((k) => views.of(statefulSets).get(k) !== undefined);
};

/** The set that may wait for the name of a deleted pod. */
const setOfFreedName: KeysOf<Pod> = ({ metadata: { name, namespace } }, { type, views }) => {
  const set = key(namespace, name.slice(0, name.lastIndexOf("-")));
  return type === "deleted" && views.of(statefulSets).get(set) !== undefined ? [set] : [];
};

export const statefulSetController = controller({
  name: "statefulset",
  reconciles: statefulSets,
  owns: [pods, controllerRevisions],
  selectorOf: (set) => set.spec.selector,
  watches: [watch(persistentVolumeClaims, setsOfClaim), watch(pods, setOfFreedName)],
  writes: [
    { kind: statefulSets, subresource: "status", verbs: ["update"] },
    { kind: controllerRevisions, verbs: ["update"] },
    { kind: persistentVolumeClaims, verbs: ["create", "update"] },
  ],
  observe(views, k) {
    const set = views.of(statefulSets).get(k);
    if (set === undefined) return undefined;
    const { namespace } = set.metadata;
    return {
      set,
      pods: views.childrenOf(pods, set, set.spec.selector),
      revisions: views.childrenOf(controllerRevisions, set, set.spec.selector),
      revisionNamed: (name) => views.of(controllerRevisions).get(key(namespace, name)),
      podNamed: (name) => views.of(pods).get(key(namespace, name)),
      claimNamed: (name) => views.of(persistentVolumeClaims).get(key(namespace, name)),
    };
  },
  decide,
});
