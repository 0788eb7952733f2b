// What a kubelet may do to pods: show its static pods, report and evict its own.
import { nodes } from "../../../api/core/nodes.ts";
import { mirrorAnnotation, isMirrorPod } from "../../../api/core/pod/mirror.ts";
import { configMapNamesOf, secretNamesOf } from "../../../api/core/pod/references.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Pod, Volume } from "../../../api/generated/types.ts";
import { sameJson } from "../../../api/hash.ts";
import { key, type ObjectMeta } from "../../../api/meta.ts";
import { quoted } from "../../../api/quote.ts";
import { type KubeletWrite, type Restriction, refusal, stored } from "./kubelet-write.ts";

type Owner = NonNullable<ObjectMeta["ownerReferences"]>[number];

/** Volumes whose content comes from no other object. */
const ownVolumes = (
  "awsElasticBlockStore azureDisk cephfs cinder downwardAPI emptyDir fc flexVolume flocker gcePersistentDisk gitRepo " +
  "hostPath image iscsi nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume"
).split(" ");
const referringVolumes: Readonly<Partial<Record<keyof Volume, string>>> = {
  configMap: "configmaps (via configmap volumes)",
  secret: "secrets (via secret volumes)",
  csi: "csidrivers (via CSI volumes)",
  glusterfs: "endpoints (via glusterFS volumes)",
  persistentVolumeClaim: "persistentvolumeclaims",
  ephemeral: "persistentvolumeclaims (via ephemeral volumes)",
  azureFile: "secrets (via azureFile volumes)",
};
const referringSources = {
  configMap: "configmaps (via projected volumes)",
  secret: "secrets (via projected volumes)",
  serviceAccountToken: "serviceaccounts (via projected volumes)",
  clusterTrustBundle: "clustertrustbundles",
  podCertificate: "podcertificates",
} as const;

/** Which objects a volume refers to. A volume of a type that is not known here may refer to any. */
function referredBy(v: Volume): string | undefined {
  const { name: _, projected, ...rest } = v;
  if (projected) {
    const fields = (projected.sources ?? []).flatMap((source) => Object.keys(source));
    const field = fields.find((one) => Object.hasOwn(referringSources, one));
    return field && referringSources[field as keyof typeof referringSources];
  }
  const [type] = Object.keys(rest) as (keyof Volume)[];
  if (type === undefined || ownVolumes.includes(type)) return undefined;
  return referringVolumes[type] ?? `objects (via ${type} volumes)`;
}

/** Which objects of the API the pod refers to, if it does. */
function referredObjects(pod: Pod): string | undefined {
  if (pod.spec.serviceAccountName) return "serviceaccounts";
  if (secretNamesOf(pod).length > 0) return "secrets";
  if (configMapNamesOf(pod).length > 0) return "configmaps";
  if (pod.spec.resourceClaims?.length) return "resourceclaims";
  return (pod.spec.volumes ?? []).map(referredBy).find((what) => what !== undefined);
}

async function checkOwner(write: KubeletWrite, owner: Owner): Promise<void> {
  const { nodeName } = write;
  const node = `node ${quoted(nodeName)}`;
  if (owner.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== nodeName)
    throw refusal(write, `${node} can only create pods with an owner reference set to itself`);
  if (!owner.controller)
    throw refusal(write, `${node} can only create pods with a controller owner reference set to itself`);
  if (owner.blockOwnerDeletion) throw refusal(write, `${node} must not set blockOwnerDeletion on an owner reference`);
  const { uid } = (await stored(write, nodes, key(undefined, nodeName))).metadata;
  if (owner.uid !== uid) throw refusal(write, `node ${nodeName} UID mismatch: expected ${owner.uid} got ${uid}`);
}

/** A mirror pod on the node, which owns it; it refers to nothing that would widen what the node may read. */
async function restrictCreate(write: KubeletWrite): Promise<void> {
  const { nodeName } = write;
  const pod = write.object as Pod;
  const node = `node ${quoted(nodeName)}`;
  if (!isMirrorPod(pod))
    throw refusal(
      write,
      `pod does not have ${quoted(mirrorAnnotation)} annotation, ${node} can only create mirror pods`,
    );
  if (pod.spec.nodeName !== nodeName)
    throw refusal(write, `${node} can only create pods with spec.nodeName set to itself`);
  const [owner, ...others] = pod.metadata.ownerReferences ?? [];
  if (others.length > 0)
    throw refusal(write, `${node} can only create pods with a single owner reference set to itself`);
  if (!owner) throw refusal(write, `${node} can only create pods with an owner reference set to itself`);
  await checkOwner(write, owner);
  const objects = referredObjects(pod);
  if (objects !== undefined) throw refusal(write, `${node} can not create pods that reference ${objects}`);
}

function restrictStatus(write: KubeletWrite): void {
  const { nodeName, attributes } = write;
  const [next, old] = [write.object as Pod, attributes.old as Pod];
  const node = `node ${quoted(nodeName)}`;
  if (attributes.operation !== "UPDATE") throw refusal(write, `unexpected operation ${quoted(attributes.operation)}`);
  if (old.spec.nodeName !== nodeName)
    throw refusal(write, `${node} can only update pod status for pods with spec.nodeName set to itself`);
  if (!sameJson(old.metadata.labels ?? {}, next.metadata.labels ?? {}))
    throw refusal(write, `${node} cannot update labels through pod status`);
  if (!sameJson(old.status?.resourceClaimStatuses ?? [], next.status?.resourceClaimStatuses ?? []))
    throw refusal(write, `${node} cannot update resource claim statues`);
  if (!sameJson(old.status?.extendedResourceClaimStatus, next.status?.extendedResourceClaimStatus))
    throw refusal(write, `${node} cannot update extended resource claim status`);
}

async function restrictEviction(write: KubeletWrite): Promise<void> {
  const { operation, namespace, name } = write.attributes;
  if (operation !== "CREATE") throw refusal(write, `unexpected operation ${operation}`);
  const pod = await stored(write, pods, key(namespace, name));
  if (pod.spec.nodeName !== write.nodeName)
    throw refusal(write, `node ${write.nodeName} can only evict pods with spec.nodeName set to itself`);
}

export const restrictPod: Restriction = (write) => {
  const { nodeName, attributes } = write;
  const { operation, subresource } = attributes;
  const node = `node ${quoted(nodeName)}`;
  if (subresource === "status") return restrictStatus(write);
  if (subresource === "eviction") return restrictEviction(write);
  if (subresource !== undefined)
    throw refusal(write, `unexpected pod subresource ${quoted(subresource)}, only 'status' and 'eviction' are allowed`);
  if (operation === "CREATE") return restrictCreate(write);
  if (operation !== "DELETE")
    throw refusal(write, `unexpected operation ${quoted(operation)}, ${node} can only create and delete mirror pods`);
  if ((attributes.old as Pod).spec.nodeName !== nodeName)
    throw refusal(write, `${node} can only delete pods with spec.nodeName set to itself`);
};
