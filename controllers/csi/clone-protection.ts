// Claims that are copied stay until the copies are made. Pure. Source: the documentation of external-provisioner.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { removeFinalizers } from "../../machinery/metadata-patches.ts";
import { isServed } from "./reclaim.ts";
import type { DriverOptions } from "./sidecar.ts";

/** A finalizer of claims, which the provisioner puts before it copies their volume. */
export const cloningFinalizer = "provisioner.storage.kubernetes.io/cloning-protection";

export interface ObservedCloning {
  readonly claim: PersistentVolumeClaim;
  /** The volume of the claim. */
  readonly volume: PersistentVolume | undefined;
  /** Claims that wait to become copies of it. */
  readonly copies: readonly PersistentVolumeClaim[];
}

/** Releases a claim that is deleted once no copy of it is under way. */
export const decideCloning = ({ claim, volume, copies }: ObservedCloning, options: DriverOptions): Decision =>
  claim.metadata.deletionTimestamp !== undefined && volume && isServed(volume, options) && copies.length === 0
    ? { actions: removeFinalizers(persistentVolumeClaims, claim, [cloningFinalizer]) }
    : settled;
