// Facts the published schemas of the coordination group lack.
import { count, type Overlay } from "../overlay.ts";

export const coordinationOverlay: Overlay = {
  LeaseSpec: { leaseDurationSeconds: { bounds: [1, null, "must be greater than 0"] }, leaseTransitions: count },
};
