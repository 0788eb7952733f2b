// Facts that the published schemas of the scheduling group lack.
import { type Overlay, values } from "../overlay.ts";

export const schedulingOverlay: Overlay = {
  PriorityClass: {
    preemptionPolicy: {
      default: "PreemptLowerPriority",
      ...values("PreemptLowerPriority", "Never"),
      immutable: true,
    },
    value: { immutable: "may not be changed in an update." },
  },
};
