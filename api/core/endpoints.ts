// Endpoints: the addresses behind a service in one object; EndpointSlice's older, deprecated form, still read by many.
import { validateReachable } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { CoreV1EndpointPort, EndpointAddress, Endpoints, EndpointSubset } from "../generated/types.ts";
import { sameJson } from "../hash.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateLabelName, validateQualifiedName, validateSubdomainName } from "../names.ts";
import { inRange, oneOf, required } from "../problems.ts";
import { schemaOf } from "../schema.ts";
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

const protocols = ["SCTP", "TCP", "UDP"];

function validateAddress({ hostname, ip, nodeName }: EndpointAddress, path: string): readonly Problem[] {
  return [
    ...validateReachable(ip, `${path}.ip`),
    ...validateLabelName(hostname, `${path}.hostname`),
    ...validateSubdomainName(nodeName, `${path}.nodeName`),
  ];
}

function validatePort(p: CoreV1EndpointPort, path: string, alone: boolean): readonly Problem[] {
  return [
    ...(p.name || alone ? validateLabelName(p.name, `${path}.name`) : [required(`${path}.name`)]),
    ...inRange(p.port, `${path}.port`, 1, 65_535),
    ...oneOf(p.protocol, `${path}.protocol`, protocols),
    ...(p.appProtocol === undefined ? [] : validateQualifiedName(p.appProtocol, `${path}.appProtocol`)),
  ];
}

function validateSubset(s: EndpointSubset, path: string): readonly Problem[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = s;
  return [
    ...(addresses.length + notReadyAddresses.length > 0
      ? []
      : [required(path, "must specify `addresses` or `notReadyAddresses`")]),
    ...addresses.flatMap((a, i) => validateAddress(a, `${path}.addresses[${i}]`)),
    ...notReadyAddresses.flatMap((a, i) => validateAddress(a, `${path}.notReadyAddresses[${i}]`)),
    ...ports.flatMap((p, i) => validatePort(p, `${path}.ports[${i}]`, ports.length === 1)),
  ];
}

/** Subsets that stood there before are not judged again. */
const validate = ({ metadata, subsets = [] }: Draft<Endpoints>, old?: Endpoints): readonly Problem[] => [
  ...validateSubdomainName(metadata.name, "metadata.name"),
  ...(old && sameJson(old.subsets, subsets) ? [] : subsets.flatMap((s, i) => validateSubset(s, `subsets[${i}]`))),
];

export const endpoints = define<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  scope: "Namespaced",
  allowCreateOnUpdate: true,
  published: "io.k8s.api.core.v1.Endpoints",
  schema: schemaOf("io.k8s.api.core.v1.Endpoints"),
  defaults: (d) => ({
    ...d,
    ...(d.subsets && {
      subsets: d.subsets.map((s) =>
        s.ports ? { ...s, ports: s.ports.map((p) => ({ ...p, protocol: p.protocol || "TCP" })) } : s,
      ),
    }),
  }),
  validate,
  deprecated: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  columns: [nameColumn, { name: "Endpoints", cell: addresses }, ageColumn],
});
