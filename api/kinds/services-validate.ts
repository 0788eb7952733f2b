// What can be wrong with a service.
import type { Service, ServicePort } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { validateServiceName } from "../names.ts";
import { inRange, invalid, required, unsupported } from "../problems.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];

function validatePort(p: ServicePort, path: string, alone: boolean): readonly Problem[] {
  return [
    ...(p.name || alone ? [] : [required(`${path}.name`)]),
    ...inRange(p.port, `${path}.port`, 1, 65_535),
    ...(protocols.includes(p.protocol ?? "TCP") ? [] : [unsupported(`${path}.protocol`, p.protocol, protocols)]),
    ...(typeof p.targetPort === "number" ? inRange(p.targetPort, `${path}.targetPort`, 1, 65_535) : []),
    ...(p.nodePort
      ? inRange(
          p.nodePort,
          `${path}.nodePort`,
          30_000,
          32_767,
          "provided port is not in the valid range. The range of valid ports is 30000-32767",
        )
      : []),
  ];
}

function duplicates(ports: readonly ServicePort[]): readonly Problem[] {
  const seen = new Set<string>();
  return ports.flatMap((p, i) => {
    const both = [`name ${p.name ?? ""}`, `port ${p.protocol}/${p.port}`];
    const again = both.filter((k) => seen.has(k));
    for (const k of both) seen.add(k);
    return again.map((k) =>
      k.startsWith("name")
        ? {
            path: `spec.ports[${i}].name`,
            message: `Duplicate value: ${JSON.stringify(p.name)}`,
            reason: "FieldValueDuplicate" as const,
          }
        : {
            path: `spec.ports[${i}]`,
            message: `Duplicate value: {"protocol":"${p.protocol}","port":${p.port}}`,
            reason: "FieldValueDuplicate" as const,
          },
    );
  });
}

/** An address once given stays, unless the service becomes one without an address. */
function immutableAddress(s: Draft<Service>, old: Service | undefined): readonly Problem[] {
  const was = old?.spec.clusterIP;
  if (!was || s.spec.type === "ExternalName" || old?.spec.type === "ExternalName" || s.spec.clusterIP === was)
    return [];
  return [invalid("spec.clusterIPs[0]", [s.spec.clusterIP], "may not change once set")];
}

export function validateService(s: Draft<Service>, old?: Service): readonly Problem[] {
  const ports = s.spec.ports ?? [];
  const external = s.spec.type === "ExternalName";
  const headless = s.spec.clusterIP === "None";
  return [
    ...validateServiceName(s.metadata.name, "metadata.name"),
    ...(types.includes(s.spec.type ?? "") ? [] : [unsupported("spec.type", s.spec.type, types)]),
    ...(ports.length === 0 && !external && !headless ? [required("spec.ports")] : []),
    ...(external && !s.spec.externalName ? [required("spec.externalName")] : []),
    ...(headless && (s.spec.type === "NodePort" || s.spec.type === "LoadBalancer")
      ? [invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${s.spec.type} services`)]
      : []),
    ...ports.flatMap((p, i) => validatePort(p, `spec.ports[${i}]`, ports.length === 1)),
    ...duplicates(ports.filter((p) => p.name)),
    ...(["ClientIP", "None"].includes(s.spec.sessionAffinity ?? "None")
      ? []
      : [unsupported("spec.sessionAffinity", s.spec.sessionAffinity, ["ClientIP", "None"])]),
    ...immutableAddress(s, old),
  ];
}
