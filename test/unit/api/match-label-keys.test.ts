// A new pod's own labels in its selectors.
import { expect, test } from "vitest";
import { withOwnLabels } from "../../../api/core/pod/match-label-keys.ts";
import type { PodSpec } from "../../../api/generated/types.ts";

const labels = { app: "web", revision: "2" };
const selector = { matchLabels: { app: "web" } };
const own = (operator: "In" | "NotIn") => ({
  ...selector,
  matchExpressions: [{ key: "revision", operator, values: ["2"] }],
});
const spec = (more: object): PodSpec => ({ containers: [], ...more }) as unknown as PodSpec;
const required = (term: object): PodSpec =>
  spec({
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "zone", ...term }] } },
  });
const preferred = (podAffinityTerm: object): PodSpec =>
  spec({
    affinity: {
      podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm }] },
    },
  });
const spread = (constraint: object): PodSpec => spec({ topologySpreadConstraints: [constraint] });
const keys = { matchLabelKeys: ["revision", "absent"] };
const mismatched = { mismatchLabelKeys: ["revision"] };

test.each<[string, PodSpec, PodSpec]>([
  [
    "of a required term",
    required({ labelSelector: selector, ...keys }),
    required({ labelSelector: own("In"), ...keys }),
  ],
  [
    "that must differ",
    preferred({ labelSelector: selector, ...mismatched }),
    preferred({ labelSelector: own("NotIn"), ...mismatched }),
  ],
  [
    "of a spread constraint",
    spread({ labelSelector: selector, ...keys }),
    spread({ labelSelector: own("In"), ...keys }),
  ],
  ["of no selector", required(keys), required(keys)],
  ["without keys", required({ labelSelector: selector }), required({ labelSelector: selector })],
])("own labels %s", (_, sent, stored) => expect(withOwnLabels(sent, labels)).toEqual(stored));
