// What a kubelet may do to its node: not choose which pods are placed on it, and nothing to other nodes.
import type { Node } from "../../../api/generated/types.ts";
import { sameJson } from "../../../api/hash.ts";
import { quoted } from "../../../api/quote.ts";
import type { Labels } from "../../../api/selector.ts";
import { type KubeletWrite, type Restriction, refusal } from "./kubelet-write.ts";

/** Labels of Kubernetes' own that kubelets set. */
const ownLabels = [
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
];
const ownDomains = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const kubernetesDomains = ["kubernetes.io", "k8s.io"];
/** For labels that workloads are confined by: no node may have them by itself. */
const restrictedDomains = ["node-restriction.kubernetes.io"];

const isWithin = (domain: string, domains: readonly string[]): boolean =>
  domains.some((one) => domain === one || domain.endsWith(`.${one}`));

/** Whether a kubelet may not set, change or remove the label. */
function isForbidden(label: string): boolean {
  const slash = label.indexOf("/");
  const domain = slash < 0 ? "" : label.slice(0, slash);
  if (isWithin(domain, restrictedDomains)) return true;
  return isWithin(domain, kubernetesDomains) && !ownLabels.includes(label) && !isWithin(domain, ownDomains);
}

/** The labels that differ and that a kubelet may not change, in order. */
export function forbiddenLabels(next: Labels = {}, old: Labels = {}): readonly string[] {
  const changed = Object.keys({ ...old, ...next }).filter(
    (label) => !Object.hasOwn(next, label) || !Object.hasOwn(old, label) || next[label] !== old[label],
  );
  return changed.filter(isForbidden).toSorted();
}

function restrictCreate(write: KubeletWrite, { metadata, spec }: Node): void {
  const node = `node ${quoted(write.nodeName)}`;
  if (spec?.configSource) throw refusal(write, `${node} is not allowed to create pods with a non-nil configSource`);
  const labels = forbiddenLabels(metadata.labels);
  if (labels.length > 0)
    throw refusal(write, `${node} is not allowed to set the following labels: ${labels.join(", ")}`);
}

function restrictUpdate(write: KubeletWrite, next: Node, old: Node): void {
  const node = `node ${quoted(write.nodeName)}`;
  const { configSource, taints = [] } = next.spec ?? {};
  if (configSource && !sameJson(configSource, old.spec?.configSource))
    throw refusal(write, `${node} is not allowed to update configSource to a new non-nil configSource`);
  if (!sameJson(taints, old.spec?.taints ?? [])) throw refusal(write, `${node} is not allowed to modify taints`);
  if (!sameJson(next.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? []))
    throw refusal(write, `${node} is not allowed to modify ownerReferences`);
  const labels = forbiddenLabels(next.metadata.labels, old.metadata.labels);
  if (labels.length > 0) throw refusal(write, `is not allowed to modify labels: ${labels.join(", ")}`);
}

export const restrictNode: Restriction = (write) => {
  const { nodeName, object, attributes } = write;
  const { name, operation, old } = attributes;
  if (name !== nodeName) throw refusal(write, `node ${quoted(nodeName)} is not allowed to modify node ${quoted(name)}`);
  if (operation === "CREATE") restrictCreate(write, object as Node);
  if (operation === "UPDATE") restrictUpdate(write, object as Node, old as Node);
};
