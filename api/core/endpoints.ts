// Endpoints: the addresses behind a service in one object; the older, deprecated form of EndpointSlice, still in use.
import type { Problem } from "../errors.ts";
import type { Endpoints, EndpointSubset } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { each, required, together } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { Endpoints } from "../generated/types.ts";

const shown = 3;
const joined = (ip: string, port: number): string => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);
const addresses = (e: Endpoints): string => {
  const all = (e.subsets ?? []).flatMap(({ addresses: ready = [], ports = [] }) =>
    ports.length === 0 ? ready.map((a) => a.ip) : ports.flatMap((p) => ready.map((a) => joined(a.ip, p.port))),
  );
  const more = all.length > shown ? ` + ${all.length - shown} more...` : "";
  return e.subsets?.length ? all.slice(0, shown).join(",") + more : "<none>";
};

function validateSubset(s: EndpointSubset, path: string): readonly Problem[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = s;
  return together(
    addresses.length + notReadyAddresses.length <= 0 &&
      required(path, "must specify `addresses` or `notReadyAddresses`"),
    ports.length !== 1 && each(ports, `${path}.ports`, (p, at) => !p.name && required(`${at}.name`)),
  );
}

export const endpoints = define<Endpoints>({
  group: "",
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  scope: "Namespaced",
  allowCreateOnUpdate: true,
  rules: { EndpointSubset: validateSubset },
  deprecated: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  columns: [nameColumn, { name: "Endpoints", cell: addresses }, ageColumn],
});
