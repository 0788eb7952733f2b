// Describes how traffic reaches pods: Services, Endpoints, EndpointSlices, Ingresses, IngressClasses.
import type {
  EndpointSlice,
  Endpoints,
  Ingress,
  IngressBackend,
  IngressClass,
  IPAddress,
  Service,
  ServiceCIDR,
  ServicePort,
} from "../../api/generated/types.ts";
import type { Describer, Reader } from "./describer.ts";
import {
  annotationLines,
  field,
  indented,
  type Lines,
  labelLines,
  optional,
  orNone,
  orUnset,
  table,
  timeText,
} from "./layout.ts";

const maxShown = 3;

/** Addresses with ports; an IPv6 address in brackets. */
const hostPort = (address: string, port: number | undefined): string =>
  `${address.includes(":") ? `[${address}]` : address}:${port ?? 0}`;

/** The ready endpoints of a port, of which many are abbreviated. */
function endpointsText(slices: readonly EndpointSlice[], portName: string): string {
  if (slices.length === 0) return "<none>";
  const ready = slices.flatMap((slice) => {
    const addresses = (slice.endpoints ?? []).filter((e) => e.conditions?.ready !== false).map((e) => e.addresses[0]!);
    // A headless service may have no ports.
    if (!slice.ports?.length) return addresses;
    const ports = slice.ports.filter(({ name = "" }) => name === portName);
    return ports.flatMap(({ port }) => addresses.map((address) => hostPort(address, port)));
  });
  const more = ready.length > maxShown ? ` + ${ready.length - maxShown} more...` : "";
  return ready.slice(0, maxShown).join(",") + more;
}

const slicesOf = (namespace: string | undefined, service: string, api: Reader): Promise<readonly EndpointSlice[]> =>
  api.list(
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${service}`)}`,
  );

function portLines(port: ServicePort, slices: readonly EndpointSlice[]): Lines {
  const { name, protocol = "TCP", nodePort, appProtocol } = port;
  const title = name || "<unset>";
  return [
    field("Port", `${title}\t${port.port}/${protocol}`),
    field("TargetPort", `${port.targetPort ?? port.port}/${protocol}`),
    ...optional("AppProtocol", appProtocol),
    ...(nodePort ? [field("NodePort", `${title}\t${nodePort}/${protocol}`)] : []),
    field("Endpoints", endpointsText(slices, name ?? "")),
  ];
}

const ingressText = ({ status }: Service): string | undefined =>
  status?.loadBalancer?.ingress
    ?.map(({ ip, hostname, ipMode }) => `${ip || hostname}${ipMode ? ` (${ipMode})` : ""}`)
    .join(", ");

export const serviceDescriber: Describer<Service, readonly EndpointSlice[]> = {
  related: ({ metadata }, api) => slicesOf(metadata.namespace, metadata.name, api),
  lines: (service, { related }) => {
    const { metadata, spec } = service;
    const selector = Object.entries(spec.selector ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .sort();
    return [
      field("Name", metadata.name),
      field("Namespace", metadata.namespace),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      field("Selector", orNone(selector.join(","))),
      field("Type", spec.type),
      ...optional("IP Family Policy", spec.ipFamilyPolicy),
      field("IP Families", orNone(spec.ipFamilies?.join(","))),
      field("IP", spec.clusterIP),
      field("IPs", orNone(spec.clusterIPs?.join(","))),
      ...optional("External IPs", spec.externalIPs?.join(",")),
      ...optional("Desired LoadBalancer IP", spec.loadBalancerIP),
      ...optional("External Name", spec.externalName),
      ...optional("LoadBalancer Ingress", ingressText(service)),
      ...(spec.ports ?? []).flatMap((port) => portLines(port, related)),
      field("Session Affinity", spec.sessionAffinity),
      ...optional("External Traffic Policy", spec.externalTrafficPolicy),
      ...optional("Internal Traffic Policy", spec.internalTrafficPolicy),
      ...optional("HealthCheck NodePort", spec.healthCheckNodePort || undefined),
      ...optional("LoadBalancer Source Ranges", spec.loadBalancerSourceRanges?.join(",")),
      ...optional("Traffic Distribution", spec.trafficDistribution),
    ];
  },
};

export const endpointsDescriber: Describer<Endpoints> = {
  lines: ({ metadata, subsets = [] }) => [
    field("Name", metadata.name),
    field("Namespace", metadata.namespace),
    ...labelLines("Labels", metadata.labels),
    ...annotationLines(metadata.annotations),
    "Subsets:",
    ...subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => [
      ...indented([
        field("Addresses", orNone(addresses.map(({ ip }) => ip).join(","))),
        field("NotReadyAddresses", orNone(notReadyAddresses.map(({ ip }) => ip).join(","))),
        ...(ports.length === 0
          ? []
          : [
              "Ports:",
              ...indented(
                table(
                  ["Name", "Port", "Protocol"],
                  ports.map(({ name = "<unset>", port, protocol = "TCP" }) => [name, String(port), protocol]),
                ),
              ),
            ]),
      ]),
      "",
    ]),
  ],
};

type SliceEndpoint = NonNullable<EndpointSlice["endpoints"]>[number];

const sliceEndpoint = (endpoint: SliceEndpoint): Lines => {
  const { addresses, conditions, hostname, targetRef, nodeName, zone } = endpoint;
  return [
    `  - ${field("Addresses", addresses.join(", ") || "<none>")}`,
    ...indented(
      [
        "Conditions:",
        `  ${field("Ready", orUnset(conditions?.ready))}`,
        field("Hostname", orUnset(hostname)),
        ...(targetRef ? [field("TargetRef", `${targetRef.kind}/${targetRef.name}`)] : []),
        field("NodeName", orUnset(nodeName)),
        field("Zone", orUnset(zone)),
      ],
      2,
    ),
  ];
};

export const endpointSliceDescriber: Describer<EndpointSlice> = {
  lines: ({ metadata, addressType, ports = [], endpoints }) => [
    field("Name", metadata.name),
    field("Namespace", metadata.namespace),
    ...labelLines("Labels", metadata.labels),
    ...annotationLines(metadata.annotations),
    field("AddressType", addressType),
    ...(ports.length === 0
      ? ["Ports: <unset>"]
      : [
          "Ports:",
          ...indented(
            table(
              ["Name", "Port", "Protocol"],
              ports.map(({ name, port, protocol = "TCP" }) => [name || "<unset>", orUnset(port), protocol]),
            ),
          ),
        ]),
    ...(endpoints?.length ? ["Endpoints:", ...endpoints.flatMap(sliceEndpoint)] : ["Endpoints: <none>"]),
  ],
};

/** The text of each backend service of an ingress, by its name and port. */
type Backends = ReadonlyMap<string, string>;

const portOf = (backend: IngressBackend): string =>
  String(backend.service?.port?.name || backend.service?.port?.number || "");

/** A backend without its endpoints. */
function backendName({ service, resource }: IngressBackend): string {
  if (service) return `${service.name}:${portOf({ service })}`;
  return `APIGroup: ${resource?.apiGroup ?? "<none>"}, Kind: ${resource?.kind}, Name: ${resource?.name}`;
}

async function backendEndpoints(namespace: string | undefined, backend: IngressBackend, api: Reader): Promise<string> {
  const { name, port } = backend.service!;
  try {
    const service = await api.get<Service>(`/api/v1/namespaces/${namespace}/services/${name}`);
    const found = service.spec.ports?.find((p) => (port?.name ? p.name === port.name : p.port === port?.number));
    return endpointsText(await slicesOf(namespace, name, api), found?.name ?? "");
  } catch (error) {
    return `<error: ${(error as Error).message}>`;
  }
}

const backendsOf = ({ spec }: Ingress): readonly IngressBackend[] => [
  ...(spec?.defaultBackend ? [spec.defaultBackend] : []),
  ...(spec?.rules ?? []).flatMap(({ http }) => http?.paths.map(({ backend }) => backend) ?? []),
];

const backendText = (backend: IngressBackend, backends: Backends): string => {
  const name = backendName(backend);
  return backend.service ? `${name} (${backends.get(name)})` : name;
};

function ruleLines({ spec }: Ingress, backends: Backends): Lines {
  const rules = spec?.rules ?? [];
  const rows = rules.flatMap(({ host, http }) => [
    `${host || "*"}\t`,
    ...(http?.paths ?? []).map(({ path, backend }) => `\t${path || "*"} \t${backendText(backend, backends)}`),
  ]);
  const fallback = spec?.defaultBackend;
  if (rules.length === 0 && fallback) rows.push(`*\t* \t${backendText(fallback, backends)}`);
  return ["Rules:", "  Host\tPath\tBackends", "  ----\t----\t--------", ...rows.map((row) => `  ${row}`)];
}

export const ingressDescriber: Describer<Ingress, Backends> = {
  related: async (ingress, api) => {
    const services = backendsOf(ingress).filter(({ service }) => service !== undefined);
    const { namespace } = ingress.metadata;
    const texts = services.map(async (b) => [backendName(b), await backendEndpoints(namespace, b, api)] as const);
    return new Map(await Promise.all(texts));
  },
  lines: (ingress, { related }) => {
    const { metadata, spec, status } = ingress;
    const addresses = status?.loadBalancer?.ingress?.map(({ ip, hostname }) => ip || hostname).join(",");
    return [
      field("Name", metadata.name),
      ...labelLines("Labels", metadata.labels),
      field("Namespace", metadata.namespace),
      field("Address", addresses),
      field("Ingress Class", orNone(spec?.ingressClassName)),
      field("Default backend", spec?.defaultBackend ? backendText(spec.defaultBackend, related) : "<default>"),
      ...(spec?.tls?.length ? ["TLS:"] : []),
      ...(spec?.tls ?? []).map(({ hosts = [], secretName }) => {
        const names = hosts.length === 0 ? "*" : hosts.join(",");
        return `  ${secretName ? `${secretName} terminates ${names}` : `SNI routes ${names}`}`;
      }),
      ...ruleLines(ingress, related),
      ...annotationLines(metadata.annotations),
    ];
  },
};

export const serviceCidrDescriber: Describer<ServiceCIDR> = {
  lines: ({ metadata, spec, status }) => {
    const conditions = status?.conditions ?? [];
    const rows = conditions.map((c) => [c.type, c.status, timeText(c.lastTransitionTime), c.reason, c.message]);
    const titles = ["Type", "Status", "LastTransitionTime", "Reason", "Message"];
    return [
      field("Name", metadata.name),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      field("CIDRs", spec?.cidrs?.join(", ")),
      ...(rows.length === 0 ? [] : ["Status:", "Conditions:", ...indented(table(titles, rows))]),
    ];
  },
};

export const ipAddressDescriber: Describer<IPAddress> = {
  lines: ({ metadata, spec }) => {
    const { group, resource, namespace, name } = spec.parentRef;
    return [
      field("Name", metadata.name),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      "Parent Reference:",
      ...indented([
        field("Group", group),
        field("Resource", resource),
        field("Namespace", namespace),
        field("Name", name),
      ]),
    ];
  },
};

export const ingressClassDescriber: Describer<IngressClass> = {
  lines: ({ metadata, spec }) => {
    const { parameters } = spec ?? {};
    return [
      field("Name", metadata.name),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      field("Controller", spec?.controller),
      ...(parameters
        ? [
            "Parameters:",
            ...indented([
              ...optional("APIGroup", parameters.apiGroup),
              field("Kind", parameters.kind),
              field("Name", parameters.name),
            ]),
          ]
        : []),
    ];
  },
};
