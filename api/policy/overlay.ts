// Facts that the published schemas of the policy group lack.
import { servedCounts, type Facts, type Overlay, present } from "../overlay.ts";

const share: Facts = { format: "count-or-share" };

export const policyOverlay: Overlay = {
  PodDisruptionBudget: { status: present },
  PodDisruptionBudgetSpec: { maxUnavailable: share, minAvailable: share },
  PodDisruptionBudgetStatus: {
    conditions: { unique: "type" },
    ...servedCounts("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"),
  },
};
