// IPAddress: an allocated address of a service range, and the service that has it.
import { validateAddress } from "../addresses-validate.ts";
import type { IPAddress } from "../generated/types.ts";
import { define, qualified } from "../kinds.ts";
import { nameColumn } from "../columns.ts";

function parentText({ spec }: IPAddress): string {
  const parent = spec?.parentRef;
  if (!parent) return "<none>";
  const resource = qualified({ group: parent.group ?? "", plural: parent.resource });
  return [resource.toLowerCase(), ...(parent.namespace ? [parent.namespace] : []), parent.name].join("/");
}

export const ipAddresses = define<IPAddress>({
  group: "networking.k8s.io",
  kind: "IPAddress",
  shortNames: ["ip"],
  scope: "Cluster",
  nameFormat: "any",
  validate: ({ metadata }, old) => (old ? [] : validateAddress(metadata.name ?? "", "metadata.name")),
  columns: [nameColumn, { name: "ParentRef", cell: parentText }],
});
