// What the published schemas of the apiextensions group do not say.
import { type Facts, needed, type Overlay, values } from "../overlay.ts";

const name: Facts = { format: "dns-1035-label" };

export const apiextensionsOverlay: Overlay = {
  CustomResourceConversion: { strategy: values("None", "Webhook") },
  CustomResourceDefinitionNames: {
    categories: { items: name },
    kind: needed,
    listKind: needed,
    plural: { ...needed, ...name },
    shortNames: { items: name },
    singular: { ...needed, ...name },
  },
  CustomResourceDefinitionSpec: {
    conversion: { default: { strategy: "None" } },
    scope: { ...needed, ...values("Cluster", "Namespaced") },
  },
  CustomResourceDefinitionStatus: { conditions: { keepEmpty: true } },
  ServiceReference: {
    name: needed,
    namespace: needed,
    port: { default: 443, bounds: [1, 65_535, "port is not valid: must be between 1 and 65535, inclusive"] },
  },
};
