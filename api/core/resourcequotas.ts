// ResourceQuota: how much of everything a namespace may have in all.
import type { ResourceQuota } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateQuota, validateQuotaStatus } from "./resourcequotas-validate.ts";

export type { ResourceQuota } from "../generated/types.ts";

const isLimit = (resource: string): boolean => resource.startsWith("limits.");
const usage = (q: ResourceQuota, wanted: (resource: string) => boolean): string =>
  Object.entries(q.status?.hard ?? {})
    .filter(([resource]) => wanted(resource))
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
