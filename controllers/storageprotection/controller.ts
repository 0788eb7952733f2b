// Wires claims to the pods that use them; a volume says itself whether it is bound.
import type { PersistentVolume, Pod } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { itself, type Controller } from "../../machinery/controller.ts";
import type { ControllerViews } from "../views.ts";
import { claimsOf, decideClaim, decideVolume, type ObservedClaim } from "./decide.ts";

export const claimProtectionController = ({
  persistentVolumeClaims: claims,
  pods,
}: Pick<ControllerViews, "persistentVolumeClaims" | "pods">): Controller<ObservedClaim> => ({
  name: "claimprotection",
  watches: [
    { informer: claims, keys: itself },
    { informer: pods, keys: (p: Pod) => claimsOf(p).map((name) => key(p.metadata.namespace, name)) },
  ],
  observe: (k) => {
    const claim = claims.lister.get(k);
    return claim && { claim, pods: pods.lister.byIndex("claim", k) };
  },
  decide: decideClaim,
});

export const volumeProtectionController = ({
  persistentVolumes: volumes,
}: Pick<ControllerViews, "persistentVolumes">): Controller<PersistentVolume> => ({
  name: "volumeprotection",
  watches: [{ informer: volumes, keys: itself }],
  observe: (k) => volumes.lister.get(k),
  decide: decideVolume,
});
