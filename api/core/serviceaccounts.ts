// ServiceAccount: the identity of a pod towards the API.
import type { ServiceAccount } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateSubdomainName } from "../names.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { ServiceAccount } from "../generated/types.ts";

export const serviceAccounts = define<ServiceAccount>({
  group: "",
  kind: "ServiceAccount",
  shortNames: ["sa"],
  scope: "Namespaced",
  subresources: ["token"],
  validate: (s) => validateSubdomainName(s.metadata.name, "metadata.name"),
  columns: [nameColumn, { name: "Secrets", type: "string", cell: (s) => s.secrets?.length ?? 0 }, ageColumn],
});
