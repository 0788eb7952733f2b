// Environment variables of services (`WEB_SERVICE_HOST`), for those that exist when a container starts. Pure.
import type { Service, ServicePort } from "../../api/generated/types.ts";

const word = (name: string): string => name.toUpperCase().replaceAll("-", "_");

function ofPort(prefix: string, ip: string, port: ServicePort, first: boolean): readonly (readonly [string, string])[] {
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  const url = `${protocol}://${ip}:${port.port}`;
  const link = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
  return [
    ...(first ? ([[`${prefix}_PORT`, url]] as const) : []),
    [link, url],
    [`${link}_PROTO`, protocol],
    [`${link}_PORT`, String(port.port)],
    [`${link}_ADDR`, ip],
  ];
}

function ofService(s: Service): readonly (readonly [string, string])[] {
  const ip = s.spec?.clusterIP;
  const ports = s.spec?.ports ?? [];
  if (!ip || ip === "None" || ports.length === 0) return [];
  const prefix = word(s.metadata.name);
  return [
    [`${prefix}_SERVICE_HOST`, ip],
    [`${prefix}_SERVICE_PORT`, String(ports[0]!.port)],
    ...ports.filter((p) => p.name).map((p) => [`${prefix}_SERVICE_PORT_${word(p.name!)}`, String(p.port)] as const),
    ...ports.flatMap((p, i) => ofPort(prefix, ip, p, i === 0)),
  ];
}

/** Of the pod's namespace with `enableServiceLinks`, and always of the `kubernetes` service. */
export function serviceEnvironment(
  services: readonly Service[],
  namespace: string,
  links: boolean,
): readonly (readonly [string, string])[] {
  const isApi = (s: Service): boolean => s.metadata.namespace === "default" && s.metadata.name === "kubernetes";
  return services
    .filter((s) => isApi(s) || (links && s.metadata.namespace === namespace))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap(ofService);
}
