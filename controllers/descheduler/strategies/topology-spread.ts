// RemovePodsViolatingTopologySpreadConstraint: pods of domains that have more of them than their constraints allow.
import { perPod } from "../strategy.ts";

export const topologySpread = perPod(
  {
    name: "RemovePodsViolatingTopologySpreadConstraint",
    summary: "pods that are spread less evenly than their required constraints say",
    isDefault: true,
  },
  (pod, { simulated }) =>
    simulated.violation(pod, "PodTopologySpread") && "its domain has more such pods than its constraint allows",
);
