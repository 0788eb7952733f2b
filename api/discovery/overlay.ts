// Facts that the published schemas of the discovery group lack.
import { label, labelKey, needed, type Overlay } from "../overlay.ts";

export const discoveryOverlay: Overlay = {
  Endpoint: { addresses: { nonEmpty: "must contain at least 1 address", maxItems: 100 }, hostname: label },
  EndpointPort: { appProtocol: labelKey, name: { ...label, default: "" }, protocol: { default: "TCP" } },
  EndpointSlice: {
    addressType: { ...needed, immutable: true },
    endpoints: { keepEmpty: true, maxItems: 1000 },
    ports: { maxItems: 100 },
  },
};
