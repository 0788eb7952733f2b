// Validation of a service's traffic policies, load balancer fields and source ranges.
import { validateLenientBlock } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { Service, ServiceSpec } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName } from "../names.ts";
import { each, forbidden, inRange, invalid, required, together } from "../problems.ts";
import { hasAddress, isExternallyAccessible, needsHealthCheck } from "./services-types.ts";

const rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
const balancerOnly = "may only be used when `type` is 'LoadBalancer'";
const maxPort = 65_535;

function validateExternalPolicy(spec: ServiceSpec): readonly Problem[] {
  const { externalTrafficPolicy: policy } = spec;
  const path = "spec.externalTrafficPolicy";
  if (isExternallyAccessible(spec)) return policy ? [] : [required(path)];
  return policy ? [invalid(path, policy, "may only be set for externally-accessible services")] : [];
}

function validateHealthCheck(spec: ServiceSpec): readonly Problem[] {
  const { healthCheckNodePort: port } = spec;
  const path = "spec.healthCheckNodePort";
  if (needsHealthCheck(spec)) return port ? inRange(port, path, 1, maxPort) : [required(path)];
  return port
    ? [invalid(path, port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")]
    : [];
}

const validateInternalPolicy = (spec: ServiceSpec): readonly Problem[] =>
  spec.internalTrafficPolicy === undefined && hasAddress(spec) ? [required("spec.internalTrafficPolicy")] : [];

/** The source ranges of a load balancer, in the field or in the older annotation, which allows spaces. */
export function validateSourceRanges({ metadata, spec }: Draft<Service>, old?: Service): readonly Problem[] {
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const misplaced = (path: string): readonly Problem[] =>
    spec.type === "LoadBalancer" ? [] : [forbidden(path, balancerOnly)];
  if (ranges.length > 0) {
    const path = "spec.LoadBalancerSourceRanges";
    const known = (old?.spec.loadBalancerSourceRanges ?? []).map((range) => range.trim());
    return together(
      misplaced(path),
      each(ranges, path, (range, at) => validateLenientBlock(range.trim(), at, known)),
    );
  }
  const annotated = metadata.annotations?.[rangesAnnotation];
  if (annotated === undefined) return [];
  const path = `metadata.annotations[${rangesAnnotation}]`;
  const isKnown = annotated.trim() === "" || annotated === old?.metadata.annotations?.[rangesAnnotation];
  return together(
    misplaced(path),
    !isKnown && annotated.split(",").flatMap((range) => validateLenientBlock(range.trim(), path, [])),
  );
}

/** The class and port allocation of a load balancer. */
export function validateBalancer({
  type,
  loadBalancerClass,
  allocateLoadBalancerNodePorts,
}: ServiceSpec): readonly Problem[] {
  const isBalancer = type === "LoadBalancer";
  const path = "spec.loadBalancerClass";
  return together(
    allocateLoadBalancerNodePorts !== undefined &&
      !isBalancer &&
      forbidden("spec.allocateLoadBalancerNodePorts", balancerOnly),
    isBalancer && allocateLoadBalancerNodePorts === undefined && required("allocateLoadBalancerNodePorts"),
    isBalancer && loadBalancerClass !== undefined && validateQualifiedName(loadBalancerClass, path),
    !isBalancer && loadBalancerClass !== undefined && forbidden(path, balancerOnly),
  );
}

/** Validates the traffic policies of a service. */
export const validateTraffic = (spec: ServiceSpec): readonly Problem[] =>
  together(validateExternalPolicy(spec), validateHealthCheck(spec), validateInternalPolicy(spec));

/** The class and the health check port are immutable while the service keeps its type. */
export function validateTrafficChange(spec: ServiceSpec, old: ServiceSpec): readonly Problem[] {
  const bothBalance = spec.type === "LoadBalancer" && old.type === "LoadBalancer";
  const bothChecked = needsHealthCheck(spec) && needsHealthCheck(old);
  return together(
    bothBalance &&
      spec.loadBalancerClass !== old.loadBalancerClass &&
      invalid("spec.loadBalancerClass", spec.loadBalancerClass ?? null, "may not change once set"),
    bothChecked &&
      spec.healthCheckNodePort !== old.healthCheckNodePort &&
      forbidden("spec.healthCheckNodePort", "field is immutable"),
  );
}
