// What claims, their templates and device classes share: requests for devices, their defaults and their rules.
import { validateTerm, validateValues } from "../core/pod/validate-placement.ts";
import type { Problem } from "../errors.ts";
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceToleration,
  ExactDeviceRequest,
} from "../generated/types.ts";
import { validateLabelName, validateLabelValue } from "../names.ts";
import { each, invalid, none, repeated, required, together, tooMany } from "../problems.ts";
import type { Rules } from "../validation.ts";
import { validateFullDeviceName } from "./device-names.ts";

type Count = Pick<ExactDeviceRequest, "allocationMode" | "count">;

/** One device, when an exact count is requested without a number. */
const withCount = <R extends Count>(request: R): R =>
  request.allocationMode === "ExactCount" && !request.count ? { ...request, count: 1 } : request;

const withCounts = (request: DeviceRequest): DeviceRequest => ({
  ...request,
  ...(request.exactly && { exactly: withCount(request.exactly) }),
  ...(request.firstAvailable && { firstAvailable: request.firstAvailable.map(withCount) }),
});

/** Adds the counts of requests. */
export const claimDefaults = (devices: DeviceClaim): DeviceClaim => ({
  ...devices,
  ...(devices.requests && { requests: devices.requests.map(withCounts) }),
});

function validateCount({ allocationMode, count = 0 }: Count): readonly Problem[] {
  if (allocationMode === "All" && count !== 0)
    return [invalid("count", count, "must not be specified when allocationMode is 'All'")];
  return allocationMode === "ExactCount" && count <= 0 ? [invalid("count", count, "must be greater than zero")] : none;
}

const oneOfBoth = "exactly one of `exactly` or `firstAvailable` is required";
function validateRequest({ exactly, firstAvailable }: DeviceRequest): readonly Problem[] {
  const hasAlternatives = (firstAvailable?.length ?? 0) > 0;
  if (exactly && hasAlternatives) return [invalid("", null, `${oneOfBoth}, but multiple fields are set`)];
  return exactly || hasAlternatives ? none : [required("", oneOfBoth)];
}

/** Requests by name, and their alternatives: `gpu` and `gpu/small`. */
export const requestNames = (claim: DeviceClaim): ReadonlySet<string> =>
  new Set(
    (claim.requests ?? []).flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((sub) => `${name}/${sub.name}`),
    ]),
  );

const notRequest =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
export function validateRequestRef(name: string, path: string, known: ReadonlySet<string>): readonly Problem[] {
  const parts = name.split("/");
  if (parts.length > 2) return [invalid(path, name, notRequest)];
  return together(
    ...parts.map((part) => (part === "" ? required(path) : validateLabelName(part, path))),
    !known.has(name) && invalid(path, name, notRequest),
  );
}

const mostRefs = 32;
/** References from a constraint or a configuration to requests. */
export const validateRequestRefs = (names: readonly string[] = [], path: string, known: ReadonlySet<string>) =>
  names.length > mostRefs
    ? [tooMany(path, names.length, mostRefs)]
    : together(
        each(names, path, (name, at) => validateRequestRef(name, at, known)),
        repeated(names, path, (name) => name),
      );

const noAttribute = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
function validateAttribute({ matchAttribute: match, distinctAttribute: distinct }: DeviceConstraint, path: string) {
  if (match !== undefined) return validateFullDeviceName(match, `${path}.matchAttribute`);
  return distinct === undefined
    ? [required(path, noAttribute)]
    : validateFullDeviceName(distinct, `${path}.distinctAttribute`);
}

function validateClaim(claim: DeviceClaim): readonly Problem[] {
  const known = requestNames(claim);
  return together(
    each(claim.constraints, "constraints", (constraint, at) =>
      together(validateRequestRefs(constraint.requests, `${at}.requests`, known), validateAttribute(constraint, at)),
    ),
    each(claim.config, "config", (config, at) => validateRequestRefs(config.requests, `${at}.requests`, known)),
  );
}

/** Rules of the types in a claim, a device class or a slice. */
export const deviceRules: Rules = {
  DeviceClaim: validateClaim,
  DeviceRequest: validateRequest,
  DeviceSubRequest: validateCount,
  DeviceToleration: ({ operator, value = "" }: DeviceToleration) =>
    together(
      operator === "Equal" && validateLabelValue(value, "value"),
      operator === "Exists" && value !== "" && invalid("value", value, "must be empty for operator `Exists`"),
    ),
  ExactDeviceRequest: validateCount,
  NodeSelector: validateValues,
  NodeSelectorTerm: validateTerm,
};

const overlap = "bindingFailureConditions must not overlap with bindingConditions";
/** Conditions to wait for before a pod is bound, and those that end the wait: both or neither. */
export function validateBinding(device: {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}): readonly Problem[] {
  const { bindingConditions: good = [], bindingFailureConditions: bad = [] } = device;
  return together(
    each(bad, "bindingFailureConditions", (c, at) => (good.includes(c) ? [invalid(at, c, overlap)] : none)),
    good.length === 0 &&
      bad.length > 0 &&
      invalid("bindingConditions", good, "bindingConditions are required to use bindingFailureConditions"),
    bad.length === 0 &&
      good.length > 0 &&
      invalid("bindingFailureConditions", bad, "bindingFailureConditions are required to use bindingConditions"),
  );
}
