// ServiceCIDR: a range that cluster IPs of services are allocated from. IPAddress: an address that is allocated.
import { parseBlock } from "../addresses.ts";
import { validateAddress, validateBlock } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { IPAddress, ServiceCIDR } from "../generated/types.ts";
import { define, qualified } from "../kinds.ts";
import { each, invalid, none, required, together } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

const path = "spec.cidrs";
const immutable = "field is immutable";
const oneOfFamily = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";

function validateBlocks(blocks: readonly string[]): readonly Problem[] {
  if (blocks.length === 0) return [required(path, "at least one CIDR required")];
  if (blocks.length > 2) return [invalid(path, { cidrs: blocks }, "may only hold up to 2 values")];
  const [first, second] = blocks.map((text) => parseBlock(text)?.address.bits);
  return together(
    each(blocks, path, validateBlock),
    first !== undefined && first === second && invalid(path, blocks, oneOfFamily),
  );
}

/** A range of the other family may be added; nothing else changes. */
function validateChange(blocks: readonly string[], old: readonly string[]): readonly Problem[] {
  const isAdded = old.length === 1 && blocks.length === 2;
  if (old.length !== blocks.length && !isAdded) return [invalid(path, blocks, immutable)];
  return together(
    each(old, path, (text, at, i) => (blocks[i] === text ? none : [invalid(at, blocks[i], immutable)])),
    isAdded && validateBlocks(blocks),
  );
}

export const serviceCidrs = define<ServiceCIDR>({
  group: "networking.k8s.io",
  kind: "ServiceCIDR",
  scope: "Cluster",
  subresources: ["status"],
  validate: ({ spec: { cidrs = [] } }, old) =>
    old ? validateChange(cidrs, old.spec.cidrs ?? []) : validateBlocks(cidrs),
  columns: [nameColumn, { name: "CIDRs", cell: (c) => (c.spec?.cidrs ?? []).join(",") }, ageColumn],
});

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
