// For which pods and audiences a kubelet gets tokens: of the pods on its node, and as their volumes want them.
import { ephemeralClaimName } from "../../../api/core/pod/claims.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { pods } from "../../../api/core/pods.ts";
import type { TokenRequest } from "../../../api/authentication/tokenrequests.ts";
import type { Pod, Volume } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { aggregated, quoted } from "../../../api/quote.ts";
import { csiDrivers } from "../../../api/storage/csi.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import { type KubeletWrite, type Restriction, refusal, stored } from "./kubelet-write.ts";

/** The driver behind a claim of the pod. Throws NotFound. */
async function driverOfClaim(write: KubeletWrite, namespace: string | undefined, name: string): Promise<string> {
  const claim = await stored(write, persistentVolumeClaims, key(namespace, name));
  const volume = await stored(write, persistentVolumes, key(undefined, claim.spec.volumeName ?? ""));
  return volume.spec.csi?.driver ?? "";
}

/** The driver that provides a volume; empty when none does. */
async function driverOf(write: KubeletWrite, pod: Pod, v: Volume): Promise<string> {
  const { namespace } = pod.metadata;
  if (v.ephemeral?.volumeClaimTemplate) return driverOfClaim(write, namespace, ephemeralClaimName(pod, v.name));
  if (v.persistentVolumeClaim) return driverOfClaim(write, namespace, v.persistentVolumeClaim.claimName);
  return v.csi?.driver ?? "";
}

/** Whether a token for the audience is put into the volume, or passed to its driver. */
async function isFor(write: KubeletWrite, pod: Pod, v: Volume, audience: string): Promise<boolean> {
  const projections = v.projected?.sources?.flatMap(({ serviceAccountToken: token }) => token ?? []) ?? [];
  if (projections.some((projection) => (projection.audience ?? "") === audience)) return true;
  const driver = await driverOf(write, pod, v);
  if (driver === "") return false;
  const { spec } = await stored(write, csiDrivers, key(undefined, driver));
  return spec.tokenRequests?.some((request) => request.audience === audience) === true;
}

/** Whether a volume of the pod needs the audience. Throws why that is not known when none does as far as is known. */
async function isNeeded(write: KubeletWrite, pod: Pod, audience: string): Promise<boolean> {
  const unknown: string[] = [];
  for (const v of pod.spec.volumes ?? [])
    try {
      if (await isFor(write, pod, v, audience)) return true;
    } catch (e) {
      unknown.push((e as Error).message);
    }
  if (unknown.length === 0) return false;
  throw refusal(write, `error validating audience ${quoted(audience)}: ${aggregated(unknown)}`);
}

async function restrictAudience(write: KubeletWrite, pod: Pod, authorizer: Authorizer): Promise<void> {
  const { namespace, name, options } = write.attributes;
  const [audience = "", ...more] = (write.object as object as Partial<TokenRequest>).spec?.audiences ?? [];
  if (more.length > 0) throw refusal(write, "node may only request 0 or 1 audiences");
  if (await isNeeded(write, pod, audience)) return;
  // The right to an audience is written with it as the resource.
  const about = { group: "", version: "v1", resource: audience, name, ...(namespace && { namespace }) };
  const user = options.user!;
  const verb = "request-serviceaccounts-token-audience";
  if ((await authorizer.decide({ ...about, user, verb })).allowed) return;
  throw refusal(
    write,
    `audience ${quoted(audience)} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`,
  );
}

/** Tokens are bound to a pod on the node. */
export const restrictServiceAccount =
  (authorizer: Authorizer): Restriction =>
  async (write) => {
    const { operation, subresource, namespace } = write.attributes;
    if (operation !== "CREATE" || subresource !== "token") return;
    const ref = (write.object as object as Partial<TokenRequest>).spec?.boundObjectRef;
    if (ref?.apiVersion !== "v1" || ref.kind !== "Pod" || !ref.name)
      throw refusal(write, "node requested token not bound to a pod");
    if (!ref.uid) throw refusal(write, "node requested token with a pod binding without a uid");
    const pod = await stored(write, pods, key(namespace, ref.name));
    if (ref.uid !== pod.metadata.uid)
      throw refusal(
        write,
        `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    if (pod.spec.nodeName !== write.nodeName)
      throw refusal(write, "node requested token bound to a pod scheduled on a different node");
    await restrictAudience(write, pod, authorizer);
  };
