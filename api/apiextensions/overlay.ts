// Facts that the published schemas of the apiextensions group lack.
import { type Facts, needed, type Overlay, values, serviceReference, unchecked } from "../overlay.ts";

const mixedCase: Facts = { nonEmpty: true, format: "mixed-case-label" };
const name: Facts = { format: "dns-1035-label" };

export const apiextensionsOverlay: Overlay = {
  CustomResourceConversion: { strategy: values("None", "Webhook") },
  CustomResourceDefinitionNames: {
    categories: { items: name },
    kind: mixedCase,
    listKind: mixedCase,
    plural: { ...needed, ...name },
    shortNames: { items: name },
    singular: { ...needed, ...name },
  },
  CustomResourceDefinitionSpec: {
    conversion: { default: { strategy: "None" } },
    group: { nonEmpty: true, immutable: true },
    scope: { ...needed, ...values("Cluster", "Namespaced") },
  },
  CustomResourceDefinitionStatus: { acceptedNames: unchecked, conditions: { keepEmpty: true } },
  ServiceReference: serviceReference,
};
