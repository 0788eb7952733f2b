// Facts that the published schemas of the networking group lack.
import { type Facts, needed, neededLabel, open, type Overlay, present, subdomain, unchecked } from "../overlay.ts";

const segment: Facts = { format: "path-segment" };
const neededSegment: Facts = { nonEmpty: true, format: "path-segment" };

export const networkingOverlay: Overlay = {
  HTTPIngressPath: { pathType: { nonEmpty: "pathType must be specified" } },
  HTTPIngressRuleValue: { paths: needed },
  IPAddressSpec: { parentRef: { immutable: true } },
  IPBlock: { cidr: needed },
  Ingress: { status: { default: { loadBalancer: {} } } },
  IngressClassParametersReference: {
    apiGroup: subdomain,
    kind: neededSegment,
    name: neededSegment,
    scope: { default: "Cluster", nonEmpty: true, enum: ["Cluster", "Namespace"] },
  },
  IngressClassSpec: {
    controller: { nonEmpty: true, format: "domain-path", maxLength: 250, immutable: true },
  },
  IngressPortStatus: { protocol: open },
  IngressServiceBackend: { name: neededLabel },
  IngressSpec: { ingressClassName: subdomain },
  IngressTLS: { secretName: subdomain },
  NetworkPolicyPort: {
    port: { format: "port" },
    protocol: { default: "TCP", enum: ["TCP", "UDP", "SCTP"] },
  },
  NetworkPolicySpec: { podSelector: present, policyTypes: { items: { enum: ["Ingress", "Egress"] } } },
  ParentReference: { group: subdomain, name: neededSegment, namespace: segment, resource: neededSegment },
  ServiceCIDR: { status: present },
  ServiceCIDRStatus: { conditions: unchecked },
};
