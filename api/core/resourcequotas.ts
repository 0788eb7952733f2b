// ResourceQuota: the total resources and number of objects a namespace may have.
import type { ResourceQuota } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateQuota, validateQuotaStatus } from "./resourcequotas-validate.ts";

export type { ResourceQuota } from "../generated/types.ts";

const isLimit = (resource: string): boolean => resource.startsWith("limits.");
const usage = (q: ResourceQuota, includes: (resource: string) => boolean): string =>
  Object.entries(q.status?.hard ?? {})
    .filter(([resource]) => includes(resource))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, hard]) => `${resource}: ${q.status?.used?.[resource] ?? "0"}/${hard}`)
    .join(", ");

export const resourceQuotas = define<ResourceQuota>({
  group: "",
  kind: "ResourceQuota",
  shortNames: ["quota"],
  scope: "Namespaced",
  subresources: ["status"],
  validate: validateQuota,
  validateStatus: validateQuotaStatus,
  columns: [
    nameColumn,
    { name: "Request", cell: (q) => usage(q, (resource) => !isLimit(resource)) },
    { name: "Limit", cell: (q) => usage(q, isLimit) },
    ageColumn,
  ],
});
