// What the published schemas of the policy group do not say.
import { count, type Facts, type Overlay, present } from "../overlay.ts";

const share: Facts = { format: "count-or-share" };

export const policyOverlay: Overlay = {
  PodDisruptionBudget: { status: present },
  PodDisruptionBudgetSpec: { maxUnavailable: share, minAvailable: share },
  PodDisruptionBudgetStatus: {
    conditions: { unique: "type" },
    currentHealthy: count,
    desiredHealthy: count,
    disruptionsAllowed: count,
    expectedPods: count,
  },
};
