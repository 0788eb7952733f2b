// NodeDeclaredFeatures: a pod that needs a feature of the kubelet goes to nodes that declare it. Source: KEP-5328.
import { requiredNodeFeatures } from "../../api/core/pod/node-features.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { type Change, type SchedulerPlugin, skip, unresolvable } from "../framework.ts";

const undeclared = unresolvable("node(s) didn't match Pod's required features");

const lacking = (required: readonly string[], { status }: Node): readonly string[] =>
  required.filter((feature) => !status?.declaredFeatures?.includes(feature));

/** Not signed: it is called last, and a signed filter behind others keeps their pods from the tables. */
export const nodeDeclaredFeatures: SchedulerPlugin<readonly string[]> = {
  name: "NodeDeclaredFeatures",
  events: [
    {
      resource: "Node",
      actions: ["Add", "UpdateNodeDeclaredFeature"],
      isSchedulableAfter: (pod, { after }: Change<Node>) =>
        after !== undefined && lacking(requiredNodeFeatures(pod.spec), after).length === 0,
    },
    {
      resource: "TargetPod",
      actions: ["Update"],
      isSchedulableAfter: (_, { before, after }: Change<Pod>) =>
        before === undefined ||
        after === undefined ||
        !sameJson(requiredNodeFeatures(before.spec), requiredNodeFeatures(after.spec)),
    },
  ],
  preFilter({ pod }) {
    const required = requiredNodeFeatures(pod.spec);
    return required.length === 0 ? skip : { state: required };
  },
  filter: (required, { node }) => (lacking(required, node).length > 0 ? undeclared : undefined),
  remedies: (required, { node }) =>
    lacking(required, node).map((feature) => ({ change: `a kubelet that declares ${feature}`, effort: 10 })),
};
