// What can be wrong with the devices a claim asks for.
import type { Problem } from "../errors.ts";
import type { DeviceClaim, DeviceConstraint, DeviceRequest, ExactDeviceRequest } from "../generated/types.ts";
import { validateTerm, validateValues } from "../core/pod/validate-placement.ts";
import { validateLabelName } from "../names.ts";
import { each, invalid, required, tooMany } from "../problems.ts";
import type { Rules } from "../validation.ts";
import { validateDeviceToleration, validateSet } from "./device-lists-validate.ts";
import { validateFullDeviceName } from "./device-names-validate.ts";

const nameOfRequest =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

function validateCount({ allocationMode, count = 0 }: ExactDeviceRequest, path: string): readonly Problem[] {
  if (allocationMode === "All" && count !== 0)
    return [invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'")];
  return allocationMode === "ExactCount" && count <= 0
    ? [invalid(`${path}.count`, count, "must be greater than zero")]
    : [];
}

const validateRequestName = (name: string | undefined, path: string): readonly Problem[] =>
  name ? validateLabelName(name, path) : [required(path)];

function validateRequest({ exactly, firstAvailable }: DeviceRequest, path: string): readonly Problem[] {
  const oneOfBoth = "exactly one of `exactly` or `firstAvailable` is required";
  const hasAlternatives = (firstAvailable?.length ?? 0) > 0;
  if (exactly && hasAlternatives) return [invalid(path, null, `${oneOfBoth}, but multiple fields are set`)];
  return exactly || hasAlternatives ? [] : [required(path, oneOfBoth)];
}

/** Requests by name, and those of their alternatives: `gpu` and `gpu/small`. */
export const requestNames = (claim: DeviceClaim): ReadonlySet<string> =>
  new Set(
    (claim.requests ?? []).flatMap(({ name, firstAvailable }) => [
      name,
      ...(firstAvailable ?? []).map((sub) => `${name}/${sub.name}`),
    ]),
  );

export const validateRequestRef = (name: string, path: string, known: ReadonlySet<string>): readonly Problem[] => {
  const parts = name.split("/");
  if (parts.length > 2) return [invalid(path, name, nameOfRequest)];
  return [
    ...parts.flatMap((part) => validateRequestName(part, path)),
    ...(known.has(name) ? [] : [invalid(path, name, nameOfRequest)]),
  ];
};

const mostNames = 32;
export const validateRequestRefs = (
  names: readonly string[] = [],
  path: string,
  known: ReadonlySet<string>,
): readonly Problem[] =>
  names.length > mostNames
    ? [tooMany(path, names.length, mostNames)]
    : validateSet(
        names,
        path,
        (name, at) => validateRequestRef(name, at, known),
        (name) => name,
      );

function validateConstraint(c: DeviceConstraint, path: string, known: ReadonlySet<string>): readonly Problem[] {
  const { matchAttribute: match, distinctAttribute: distinct } = c;
  const oneOfBoth = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
  return [
    ...validateRequestRefs(c.requests, `${path}.requests`, known),
    ...(match !== undefined
      ? validateFullDeviceName(match, `${path}.matchAttribute`)
      : distinct !== undefined
        ? validateFullDeviceName(distinct, `${path}.distinctAttribute`)
        : [required(path, oneOfBoth)]),
  ];
}

/** Constraints and configurations speak of requests that are there. */
function validateClaim(claim: DeviceClaim, path: string): readonly Problem[] {
  const known = requestNames(claim);
  return [
    ...each(claim.constraints, `${path}.constraints`, (c, at) => validateConstraint(c, at, known)),
    ...each(claim.config, `${path}.config`, (c, at) => validateRequestRefs(c.requests, `${at}.requests`, known)),
  ];
}

export const deviceRules: Rules = {
  DeviceClaim: validateClaim,
  DeviceRequest: validateRequest,
  DeviceSubRequest: validateCount,
  DeviceToleration: validateDeviceToleration,
  ExactDeviceRequest: validateCount,
  NodeSelector: validateValues,
  NodeSelectorTerm: validateTerm,
};
