// ServiceCIDR: a range the addresses of services are taken from.
import { parseBlock } from "../addresses.ts";
import { validateBlock } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { ServiceCIDR } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { invalid, required } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

const path = "spec.cidrs";
const immutable = "field is immutable";

function validateBlocks(spec: ServiceCIDR["spec"]): readonly Problem[] {
  const blocks = spec.cidrs ?? [];
  if (blocks.length === 0) return [required(path, "at least one CIDR required")];
  if (blocks.length > 2) return [invalid(path, { cidrs: blocks }, "may only hold up to 2 values")];
  const families = blocks.flatMap((text) => parseBlock(text)?.address.bits ?? []);
  const both = families.length === 2 && families[0] === families[1];
  return [
    ...blocks.flatMap((text, i) => validateBlock(text, `${path}[${i}]`)),
    ...(both
      ? [
          invalid(
            path,
            blocks,
            "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64",
          ),
        ]
      : []),
  ];
}

/** A range stays what it is; one of the other family may be added to it. */
function validateChange(spec: ServiceCIDR["spec"], old: ServiceCIDR["spec"]): readonly Problem[] {
  const [next, before] = [spec.cidrs ?? [], old.cidrs ?? []];
  const changed = before.flatMap((text, i) => (next[i] === text ? [] : [invalid(`${path}[${i}]`, next[i], immutable)]));
  if (next.length === before.length) return changed;
  if (before.length === 1 && next.length === 2) return [...changed, ...validateBlocks(spec)];
  return [invalid(path, next, immutable)];
}

const validate = ({ spec }: Draft<ServiceCIDR>, old?: ServiceCIDR): readonly Problem[] =>
  old ? validateChange(spec, old.spec) : validateBlocks(spec);

export const serviceCidrs = define<ServiceCIDR>({
  group: "networking.k8s.io",
  kind: "ServiceCIDR",
  scope: "Cluster",
  subresources: ["status"],
  validate,
  columns: [nameColumn, { name: "CIDRs", cell: (c) => (c.spec?.cidrs ?? []).join(",") }, ageColumn],
});
