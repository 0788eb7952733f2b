// Facts that the published schemas of the apiregistration group lack.
import { type Overlay, present, subdomain, serviceReference } from "../overlay.ts";

export const apiregistrationOverlay: Overlay = {
  APIService: { status: present },
  APIServiceSpec: {
    group: subdomain,
    groupPriorityMinimum: { bounds: [1, 20_000, "must be positive and less than 20000"] },
    versionPriority: { bounds: [1, 1000, "must be positive and less than 1000"] },
  },
  ServiceReference: serviceReference,
};
