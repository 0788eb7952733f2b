// Endpoints: the addresses of a service in one object; deprecated in favour of EndpointSlice.
import type { Problem } from "../errors.ts";
import type { Endpoints, EndpointSubset } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { each, required, together } from "../problems.ts";
import { ageColumn, firstThree, nameColumn } from "../columns.ts";

export type { Endpoints } from "../generated/types.ts";

const hostPort = (ip: string, port: number): string => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);
const addressesCell = ({ subsets = [] }: Endpoints): string =>
  firstThree(
    subsets.flatMap(({ addresses = [], ports = [] }) =>
      ports.length === 0
        ? addresses.map((a) => a.ip)
        : ports.flatMap((p) => addresses.map((a) => hostPort(a.ip, p.port))),
    ),
    subsets.length === 0 ? "<none>" : "",
  );

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
  columns: [nameColumn, { name: "Endpoints", cell: addressesCell }, ageColumn],
});
