// What the published schemas of the node group do not say.
import { neededLabel, type Overlay } from "../overlay.ts";

export const nodeOverlay: Overlay = {
  RuntimeClass: { handler: { ...neededLabel, immutable: true } },
  Scheduling: { nodeSelector: { format: "labels" } },
};
