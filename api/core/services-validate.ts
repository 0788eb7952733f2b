// Validation of services: type, ports, session affinity and external addresses.
import { parseAddress } from "../addresses.ts";
import { unreachableReason, validateLenientAddress } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateSubdomainName } from "../names.ts";
import { duplicate, each, forbidden, inRange, invalid, required, goStruct, together } from "../problems.ts";
import { isHeadless } from "./services-types.ts";
import { validateAddressChange, validateServiceAddresses } from "./services-validate-addresses.ts";
import {
  validateBalancer,
  validateSourceRanges,
  validateTraffic,
  validateTrafficChange,
} from "./services-validate-traffic.ts";

const maxAffinitySeconds = 86_400;
const hintsAnnotation = "service.kubernetes.io/topology-aware-hints";
const modeAnnotation = "service.kubernetes.io/topology-mode";

function validateAnnotations({ metadata: { annotations = {} } }: Draft<Service>): readonly Problem[] {
  const [hints, mode] = [annotations[hintsAnnotation], annotations[modeAnnotation]];
  if (hints === undefined || mode === undefined || hints === mode) return [];
  const detail = `must match annotations[${hintsAnnotation}] when both are specified`;
  return [invalid(`metadata.annotations[${modeAnnotation}]`, mode, detail)];
}

/** Fields that a type requires or excludes. */
function validateType(service: Draft<Service>): readonly Problem[] {
  const { type, ports = [], clusterIPs = [], ipFamilies = [], ipFamilyPolicy, externalName = "" } = service.spec;
  const headless = isHeadless(service);
  const isExternal = type === "ExternalName";
  const unset = (field: string): Problem => forbidden(`spec.${field}`, "may not be set for ExternalName services");
  const name = externalName.replace(/\.$/, "");
  return together(
    ports.length === 0 && !headless && !isExternal && required("spec.ports"),
    headless &&
      (type === "LoadBalancer" || type === "NodePort") &&
      invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${type} services`),
    isExternal && clusterIPs.length > 0 && unset("clusterIPs"),
    isExternal && ipFamilies.length > 0 && unset("ipFamilies"),
    isExternal && ipFamilyPolicy !== undefined && unset("ipFamilyPolicy"),
    isExternal && name === "" && required("spec.externalName"),
    isExternal && validateSubdomainName(name, "spec.externalName"),
  );
}

const portFields = ["name", "protocol", "appProtocol", "port", "targetPort", "nodePort"];
const portStruct = ({ protocol, port }: ServicePort): object | null =>
  goStruct({ name: "", protocol, port, targetPort: 0, nodePort: 0 }, portFields);

/** Ports and node ports are unique by protocol. */
function validateUniquePorts(ports: readonly ServicePort[]): readonly Problem[] {
  const isRepeated = (same: "port" | "nodePort", i: number): boolean =>
    ports.findIndex((p) => p.protocol === ports[i]!.protocol && p[same] === ports[i]![same]) < i;
  return together(
    each(
      ports,
      "spec.ports",
      (p, at, i) => p.nodePort && isRepeated("nodePort", i) && duplicate(`${at}.nodePort`, p.nodePort),
    ),
    each(ports, "spec.ports", (p, at, i) => isRepeated("port", i) && duplicate(at, portStruct(p))),
  );
}

function validateAffinity({ sessionAffinity: kind, sessionAffinityConfig: config }: ServiceSpec): readonly Problem[] {
  const path = "spec.sessionAffinityConfig";
  if (kind === "None")
    return config === undefined ? [] : [forbidden(path, "must not be set when session affinity is None")];
  if (kind !== "ClientIP") return [];
  const seconds = config?.clientIP?.timeoutSeconds;
  const at = `${path}.clientIP.timeoutSeconds`;
  if (seconds === undefined) return [required(at, "when session affinity type is ClientIP")];
  return inRange(seconds, at, 1, maxAffinitySeconds, `must be greater than 0 and less than ${maxAffinitySeconds}`);
}

function validateExternalIps({ externalIPs = [] }: ServiceSpec, known: readonly string[]): readonly Problem[] {
  return each(externalIPs, "spec.externalIPs", (ip, path) => {
    const problems = known.includes(ip) ? [] : validateLenientAddress(ip, path);
    const reason = parseAddress(ip) ? unreachableReason(ip) : undefined;
    return problems.length > 0 || reason === undefined ? problems : [invalid(path, ip, reason)];
  });
}

/** Validates a service; with `old`, also what changed. */
export function validateService(s: Draft<Service>, old?: Service): readonly Problem[] {
  const { spec } = s;
  const ports = spec.ports ?? [];
  return together(
    old && [...validateAddressChange(s, old), ...validateTrafficChange(spec, old.spec)],
    validateAnnotations(s),
    validateType(s),
    ports.length !== 1 && each(ports, "spec.ports", (p, at) => !p.name && required(`${at}.name`)),
    validateAffinity(spec),
    validateServiceAddresses(s, old),
    validateExternalIps(spec, old?.spec.externalIPs ?? []),
    spec.type === "ClusterIP" &&
      each(
        ports,
        "spec.ports",
        (port, at) => port.nodePort && forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"),
      ),
    validateUniquePorts(ports),
    validateSourceRanges(s, old),
    validateBalancer(spec),
    validateTraffic(spec),
  );
}
