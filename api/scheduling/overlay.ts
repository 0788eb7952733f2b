// What the published schemas of the scheduling group do not say.
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
