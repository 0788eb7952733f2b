// Which strategy a resource or a subresource has: its own, laid over the default.
import { type ResourceDefinition, qualified } from "../../../api/kinds.ts";
import type { ObjectMeta } from "../../../api/meta.ts";
import type { WritableSubresource } from "../../../machinery/client.ts";
import { subresources } from "../subresources.ts";
import { certificateRequestStrategy, signingStrategy } from "./certificate-requests.ts";
import { defaultStrategy, statusStrategy } from "../prepare.ts";
import { namespaceStrategy } from "./namespaces.ts";
import { podStrategy } from "./pods.ts";
import type { Strategy } from "./strategy.ts";

const writable: readonly (keyof ObjectMeta)[] = ["labels", "annotations", "finalizers", "ownerReferences"];
const returnsObject = { deletion: { returnsObject: true } } as const;
const orphans = { deletion: { dependents: "orphan" } } as const;
const childless = { deletion: { dependents: "none" } } as const;
const statusKeepsMetadata = { statusKeeps: writable };

/** Resources that differ from the default, by their qualified names. */
const own: Readonly<Record<string, Partial<Strategy>>> = {
  pods: podStrategy,
  // A node reports its status when it registers.
  nodes: { prepareForCreate: (draft) => draft },
  namespaces: namespaceStrategy,
  "certificatesigningrequests.certificates.k8s.io": certificateRequestStrategy,
  replicationcontrollers: orphans,
  "jobs.batch": orphans,
  events: childless,
  "events.events.k8s.io": childless,
  podtemplates: returnsObject,
  services: returnsObject,
  serviceaccounts: returnsObject,
  resourcequotas: returnsObject,
  persistentvolumes: returnsObject,
  persistentvolumeclaims: returnsObject,
  "deployments.apps": { statusKeeps: ["labels"] },
  "flowschemas.flowcontrol.apiserver.k8s.io": statusKeepsMetadata,
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": statusKeepsMetadata,
  "validatingadmissionpolicies.admissionregistration.k8s.io": statusKeepsMetadata,
  "resourceclaims.resource.k8s.io": statusKeepsMetadata,
  "servicecidrs.networking.k8s.io": statusKeepsMetadata,
  "apiservices.apiregistration.k8s.io": statusKeepsMetadata,
};
/** Resources with a status strategy of their own. */
const ownStatus: Readonly<Record<string, Strategy>> = {
  "certificatesigningrequests.certificates.k8s.io": signingStrategy,
};

function strategyFor(r: ResourceDefinition, subresource: WritableSubresource | undefined): Strategy {
  const resource: Strategy = { ...defaultStrategy, ...own[qualified(r)] };
  if (subresource === undefined) return resource;
  if (subresource === "status") return ownStatus[qualified(r)] ?? statusStrategy(resource);
  return subresources[subresource].strategy ?? resource;
}

// Every write looks its strategy up.
const known = new WeakMap<ResourceDefinition, Map<WritableSubresource | undefined, Strategy>>();

/** The strategy for writes of the object, or of one of its subresources. */
export function strategyOf(r: ResourceDefinition, subresource?: WritableSubresource): Strategy {
  const ofResource = known.get(r) ?? new Map<WritableSubresource | undefined, Strategy>();
  known.set(r, ofResource);
  const found = ofResource.get(subresource) ?? strategyFor(r, subresource);
  ofResource.set(subresource, found);
  return found;
}
