// Protection of claims and volumes in use: observes the pods that use a claim; a volume's own status says it is bound.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { pods } from "../../api/core/pods.ts";
import type { Pod } from "../../api/generated/types.ts";
import { type Key, key } from "../../api/meta.ts";
import { controller, watch } from "../../machinery/controller.ts";
import { claimsOf, decideClaim, decideVolume } from "./decide.ts";

const claimKeysOf = (pod: Pod): readonly Key[] => claimsOf(pod).map((name) => key(pod.metadata.namespace, name));

export const claimProtectionController = controller({
  name: "claimprotection",
  reconciles: persistentVolumeClaims,
  watches: [watch(pods, claimKeysOf, { claim: claimKeysOf })],
  writes: [{ kind: persistentVolumeClaims, verbs: ["update"] }],
  observe(views, k) {
    const claim = views.of(persistentVolumeClaims).get(k);
    return claim && { claim, pods: views.of(pods).byIndex("claim", k) };
  },
  decide: decideClaim,
});

export const volumeProtectionController = controller({
  name: "volumeprotection",
  reconciles: persistentVolumes,
  writes: [{ kind: persistentVolumes, verbs: ["update"] }],
  observe: (views, k) => views.of(persistentVolumes).get(k),
  decide: decideVolume,
});
