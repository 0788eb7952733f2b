// APIService: who serves a version of a group of the API, this server or one behind a service.
import type { APIService, APIServiceCondition } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { extensionCategories } from "../admissionregistration/match-rules.ts";
import { validateApiService } from "./apiservices-validate.ts";

function availableText({ status }: APIService): string {
  const condition = (status?.conditions ?? []).find((c) => c.type === "Available");
  if (!condition) return "Unknown";
  return condition.status !== "True" && condition.reason
    ? `${condition.status} (${condition.reason})`
    : condition.status;
}

/** What this server serves itself is always there. */
const local = (at: string): APIServiceCondition => ({
  type: "Available",
  status: "True",
  lastTransitionTime: at,
  reason: "Local",
  message: "Local APIServices are always available",
});

export const apiServices = define<APIService>({
  group: "apiregistration.k8s.io",
  kind: "APIService",
  categories: extensionCategories,
  scope: "Cluster",
  nameFormat: "any",
  allowUnconditionalUpdate: false,
  subresources: ["status"],
  published: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
  onCreate: (s) => (s.spec.service ? s : { ...s, status: { conditions: [local(s.metadata.creationTimestamp)] } }),
  validate: validateApiService,
  columns: [
    nameColumn,
    { name: "Service", cell: ({ spec: { service: s } }) => (s ? `${s.namespace ?? ""}/${s.name ?? ""}` : "Local") },
    { name: "Available", cell: availableText },
    ageColumn,
  ],
});
