// Claims for devices that a pod has by templates: made once for each, named in the pod's status, and reserved for a pod
// that came to its node without the scheduler. Pure. Source: KEP-4381.
import { pods } from "../../api/core/pods.ts";
import type {
  Pod,
  PodResourceClaim,
  ResourceClaimTemplate,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../api/generated/types.ts";
import { keyOf, ownedBy } from "../../api/meta.ts";
import {
  claimReference,
  consumerOf,
  foreignClaim,
  isReservedFor,
  podClaimAnnotation,
} from "../../api/resource/pod-claims.ts";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import { type Action, recordEvent, statusTo } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";

export interface ObservedPod {
  readonly pod: Pod;
  /** Claims that the pod names, and those it controls. */
  readonly claims: readonly ResourceClaim[];
  /** The templates that it names. */
  readonly templates: readonly ResourceClaimTemplate[];
}

/** So long may a name be before a random ending is added. */
const longestBase = 57;

/** Pod and entry, both cut in proportion when they are too long together. */
function nameBeginning(podName: string, entryName: string): string {
  const full = `${podName}-${entryName}-`;
  if (full.length <= longestBase) return full;
  const cut = (name: string): string => name.slice(0, Math.trunc((name.length * longestBase) / full.length));
  return `${cut(podName)}-${cut(entryName)}`;
}

const failed = (pod: Pod, entry: PodResourceClaim, reason: string): Action =>
  recordEvent(pod, "Warning", "FailedResourceClaimCreation", `PodResourceClaim ${entry.name}: ${reason}`);

function create(pod: Pod, entry: PodResourceClaim, template: ResourceClaimTemplate): Action {
  const { metadata = {}, spec } = template.spec;
  const { name, namespace } = pod.metadata;
  return {
    do: "create",
    resource: resourceClaims,
    draft: {
      kind: "ResourceClaim",
      metadata: {
        ...{ generateName: nameBeginning(name, entry.name), namespace, ownerReferences: [ownedBy(pod)] },
        annotations: { ...metadata.annotations, [podClaimAnnotation]: entry.name },
        ...(metadata.labels && { labels: metadata.labels }),
      },
      spec,
    },
    refused: (message) => [failed(pod, entry, `create ResourceClaim : ${message}`)],
  };
}

/** What one entry of the pod needs: nothing, a line in its status, a new claim, or a template that is missing. */
type Need =
  | { readonly found: string }
  | { readonly create: Action }
  | { readonly missing: string; readonly entry: PodResourceClaim };

function needOf({ pod, claims, templates }: ObservedPod, entry: PodResourceClaim): Need | undefined {
  const reference = claimReference(pod, entry);
  const { resourceClaimTemplateName: templateName } = entry;
  if (reference === "not needed" || templateName === undefined) return undefined;
  const isOwn = (claim: ResourceClaim): boolean => foreignClaim(pod, claim) === undefined;
  if (reference !== "not created" && claims.some((c) => c.metadata.name === reference.name && isOwn(c)))
    return undefined;
  const made = claims.find((c) => isOwn(c) && c.metadata.annotations?.[podClaimAnnotation] === entry.name);
  if (made) return { found: made.metadata.name };
  const template = templates.find(({ metadata }) => metadata.name === templateName);
  if (template) return { create: create(pod, entry, template) };
  const reason = `resourceclaimtemplate.resource.k8s.io "${templateName}" not found`;
  return { missing: `resource claim template "${templateName}": ${reason}`, entry };
}

/** Writes which claims were made. Entries of other claims stay. */
function nameClaims(pod: Pod, found: ReadonlyMap<string, string>): readonly Action[] {
  if (found.size === 0) return [];
  const others = (pod.status?.resourceClaimStatuses ?? []).filter(({ name }) => !found.has(name));
  const named = [...found].map(([name, resourceClaimName]) => ({ name, resourceClaimName }));
  return statusTo(pods, pod, { ...pod.status, resourceClaimStatuses: [...others, ...named] });
}

/** Reserves claims that are allocated for a pod which is on a node already. */
function reserve({ pod, claims }: ObservedPod): readonly Action[] {
  if (pod.spec.nodeName === undefined) return [];
  const references = (pod.spec.resourceClaims ?? []).map((entry) => claimReference(pod, entry));
  return claims.flatMap((claim) => {
    const reference = references.find((r) => typeof r !== "string" && r.name === claim.metadata.name);
    if (reference === undefined || typeof reference === "string") return [];
    if (!claim.status?.allocation || isReservedFor(pod, claim)) return [];
    if (reference.isGenerated && foreignClaim(pod, claim)) return [];
    const reservedFor = [...(claim.status.reservedFor ?? []), consumerOf(pod)];
    return statusTo(resourceClaims, claim, { ...claim.status, reservedFor });
  });
}

/** Makes the claims that are missing, then names them in the status, then reserves them. */
export function decidePod(observed: ObservedPod): Decision {
  const { pod } = observed;
  if (pod.metadata.deletionTimestamp !== undefined) return settled;
  const found = new Map<string, string>();
  const creations: Action[] = [];
  for (const entry of pod.spec.resourceClaims ?? []) {
    const need = needOf(observed, entry);
    if (!need) continue;
    if ("missing" in need) {
      const failure = `pod ${keyOf(pod)}, PodResourceClaim ${need.entry.name}: ${need.missing}`;
      return { actions: [...creations, failed(pod, need.entry, need.missing)], failure };
    }
    if ("found" in need) found.set(entry.name, need.found);
    else creations.push(need.create);
  }
  return { actions: [...creations, ...nameClaims(pod, found), ...reserve(observed)] };
}
