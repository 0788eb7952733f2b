// What the published schemas of the types all groups share do not say.
import { needed, type Overlay } from "./overlay.ts";

export const metaOverlay: Overlay = {
  // To empty the account of who owns which field is to throw it away, and that has to be seen.
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
