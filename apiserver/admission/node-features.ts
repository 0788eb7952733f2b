// Updates of pods on nodes: those that need a feature of the kubelet are refused where the node does not declare it.
// Source: KEP-5328.
import { featuresOfUpdate } from "../../api/core/pod/node-features.ts";
import { nodes } from "../../api/core/nodes.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { forbidden } from "../registry/refusals.ts";

/** Kubernetes' NodeDeclaredFeatureValidator. */
export const nodeDeclaredFeatures: AdmissionPlugin = {
  name: "NodeDeclaredFeatureValidator",
  operations: ["UPDATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  async validate(object, { r, old, subresource, present }) {
    if (subresource !== undefined && subresource !== "resize") return;
    const { metadata, spec } = object as Pod;
    if (!spec.nodeName) return;
    const required = featuresOfUpdate(spec, (old as Pod).spec);
    if (required.length === 0) return;
    const stored = (await present()).get(prefixOf(nodes) + key(undefined, spec.nodeName));
    if (!stored) throw forbidden(r, metadata.name, `node "${spec.nodeName}" not found`);
    const { declaredFeatures = [] } = objectOf<Node>(stored).status ?? {};
    const missing = required.filter((feature) => !declaredFeatures.includes(feature));
    if (missing.length === 0) return;
    const why = `pod update requires features ${missing.join(", ")} which are not available on node "${spec.nodeName}"`;
    throw forbidden(r, metadata.name, why);
  },
};
