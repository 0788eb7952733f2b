// Facts the published schemas of the types that all groups share lack.
import { needed, type Overlay } from "./overlay.ts";

export const metaOverlay: Overlay = {
  // An empty list means that the client removes field management, so it must survive decoding.
  ObjectMeta: { managedFields: { keepEmpty: true } },
  LabelSelector: { "": { format: "label-selector" } },
  Condition: {
    type: { nonEmpty: "is required", format: "k8s-label-key" },
    status: { ...needed, enum: ["False", "True", "Unknown"] },
    observedGeneration: { bounds: [0, null, "must be greater than or equal to zero"] },
    lastTransitionTime: {},
    reason: { ...needed, format: "condition-reason", maxLength: 1024 },
    message: { maxLength: 32_768 },
  },
};
