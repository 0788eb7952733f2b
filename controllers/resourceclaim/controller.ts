// Claims for devices: made from the templates that pods name, and given back when the pods that used them have ended.
import { pods } from "../../api/core/pods.ts";
import type { Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../api/generated/types.ts";
import { controllerOf, type Key, key, keyOf, revisionOf } from "../../api/meta.ts";
import { deleteProtection, deviceClaimKeys, needsNoClaims } from "../../api/resource/pod-claims.ts";
import { resourceClaims, resourceClaimTemplates } from "../../api/resource/resourceclaims.ts";
import { type Change, type Controller, controller, itself, type Views, watch } from "../../machinery/controller.ts";
import { decideClaim, type ObservedClaim } from "./claim.ts";
import { decidePod, type ObservedPod } from "./pod-claims.ts";

const none: readonly Key[] = [];
const templateKeys = ({ metadata, spec }: Pod): readonly Key[] =>
  spec.resourceClaims?.flatMap(({ resourceClaimTemplateName: name }) =>
    name === undefined ? none : [key(metadata.namespace, name)],
  ) ?? none;

function observePod(views: Views, k: Key): ObservedPod | undefined {
  const pod = views.of(pods).get(k);
  if (!pod) return undefined;
  const named = deviceClaimKeys(pod).flatMap((claim) => views.of(resourceClaims).get(claim) ?? []);
  return {
    pod,
    claims: [...new Set([...named, ...views.childrenOf(resourceClaims, pod)])],
    templates: templateKeys(pod).flatMap((template) => views.of(resourceClaimTemplates).get(template) ?? []),
  };
}

/** Makes and reserves the claims of pods. */
export const podClaimController = controller({
  name: "resource-claim",
  reconciles: pods,
  // Most pods use no devices.
  keysOf: (pod, { type }) => (type !== "deleted" && pod.spec.resourceClaims ? itself(pod) : none),
  indexes: { deviceClaim: deviceClaimKeys, deviceTemplate: templateKeys },
  owns: [resourceClaims],
  watches: [
    watch(resourceClaims, (claim, { views }) => views.of(pods).byIndex("deviceClaim", keyOf(claim)).map(keyOf)),
    watch(resourceClaimTemplates, (template, { views }) =>
      views.of(pods).byIndex("deviceTemplate", keyOf(template)).map(keyOf),
    ),
  ],
  writes: [
    { kind: pods, subresource: "status", verbs: ["update"] },
    { kind: resourceClaims, subresource: "status", verbs: ["update"] },
    { kind: resourceClaims, subresource: "binding", verbs: ["patch", "update"] },
  ],
  observe: observePod,
  decide: decidePod,
});

/** The pods that a claim is about, by name. */
function podsOf({ metadata, status }: ResourceClaim, views: Views): ReadonlyMap<string, Pod> {
  const owner = controllerOf({ metadata });
  const names = [...(status?.reservedFor ?? []), ...(owner?.kind === "Pod" ? [owner] : [])].map(({ name }) => name);
  const found = (name: string) => views.of(pods).get(key(metadata.namespace, name));
  return new Map(
    names.flatMap((name) => {
      const pod = found(name);
      return pod ? [[name, pod] as const] : [];
    }),
  );
}

/** Claims whose allocation was taken away and whose finalizer is still to be removed; a restart forgets them. */
function deallocatedClaims() {
  const uids = new Set<string>();
  return {
    has: (claim: ResourceClaim): boolean => uids.has(claim.metadata.uid),
    seen(claim: ResourceClaim, { type, before }: Change<ResourceClaim>): void {
      const { uid, finalizers } = claim.metadata;
      if (before?.status?.allocation && !claim.status?.allocation) uids.add(uid);
      const isProtected = finalizers?.includes(deleteProtection) === true;
      if (type === "deleted" || claim.status?.allocation || !isProtected) uids.delete(uid);
    },
  };
}

/** Ends the use of claims. */
export function claimUsageController(): Controller<ObservedClaim> {
  const deallocated = deallocatedClaims();
  return controller({
    ...{ name: "resource-claim-usage", account: "resource-claim-controller" },
    reconciles: resourceClaims,
    keysOf(claim, change) {
      deallocated.seen(claim, change);
      return change.type === "deleted" ? none : itself(claim);
    },
    watches: [watch(pods, (pod, { type }) => (type === "deleted" || needsNoClaims(pod) ? deviceClaimKeys(pod) : none))],
    writes: [
      { kind: resourceClaims, verbs: ["delete", "update"] },
      { kind: resourceClaims, subresource: "status", verbs: ["update"] },
      { kind: resourceClaims, subresource: "binding", verbs: ["patch", "update"] },
    ],
    observe(views, k) {
      const claim = views.of(resourceClaims).get(k);
      if (!claim) return undefined;
      const isCurrent = views.of(pods).revision >= revisionOf(claim);
      return { claim, pods: podsOf(claim, views), isCurrent, isDeallocated: deallocated.has(claim) };
    },
    decide: decideClaim,
  });
}
