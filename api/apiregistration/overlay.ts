// What the published schemas of the apiregistration group do not say.
import { needed, type Overlay, present, subdomain } from "../overlay.ts";

export const apiregistrationOverlay: Overlay = {
  APIService: { status: present },
  APIServiceSpec: {
    group: subdomain,
    groupPriorityMinimum: { bounds: [1, 20_000, "must be positive and less than 20000"] },
    versionPriority: { bounds: [1, 1000, "must be positive and less than 1000"] },
  },
  ServiceReference: {
    name: needed,
    namespace: needed,
    port: { default: 443, bounds: [1, 65_535, "port is not valid: must be between 1 and 65535, inclusive"] },
  },
};
