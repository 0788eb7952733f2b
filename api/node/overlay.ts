// Facts that the published schemas of the node group lack.
import { neededLabel, type Overlay } from "../overlay.ts";

export const nodeOverlay: Overlay = {
  RuntimeClass: { handler: { ...neededLabel, immutable: true } },
  Scheduling: { nodeSelector: { format: "labels" } },
};
