// What can be wrong with the devices a claim asks for.
import type { Problem } from "../errors.ts";
import type {
  DeviceClaim,
  DeviceClaimConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  ExactDeviceRequest,
  OpaqueDeviceConfiguration,
} from "../generated/types.ts";
import { validateLabelName, validateSubdomainName } from "../names.ts";
import { invalid, required, tooLong, unsupported } from "../problems.ts";
import { validateDeviceToleration, validateEach, validateRaw, validateSet } from "./device-lists-validate.ts";
import { validateFullDeviceName } from "./device-names-validate.ts";
import { validateDriverName } from "../core/storage-drivers.ts";

const most = 32;
const mostAlternatives = 8;
const longestExpression = 10 * 1024;
const longestParameters = 10 * 1024;
const nameOfRequest =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

function validateSelector({ cel }: DeviceSelector, path: string): readonly Problem[] {
  if (!cel) return [required(`${path}.cel`)];
  return cel.expression.length > longestExpression ? [tooLong(`${path}.cel.expression`, longestExpression)] : [];
}
export const validateSelectors = (selectors: readonly DeviceSelector[] | undefined, path: string): readonly Problem[] =>
  validateEach(selectors, path, most, validateSelector);

function validateCount({ allocationMode = "", count = 0 }: ExactDeviceRequest, path: string): readonly Problem[] {
  switch (allocationMode) {
    case "All":
      return count === 0 ? [] : [invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'")];
    case "ExactCount":
      return count > 0 ? [] : [invalid(`${path}.count`, count, "must be greater than zero")];
    default:
      return [unsupported(`${path}.allocationMode`, allocationMode, ["All", "ExactCount"])];
  }
}

const validateExact = (request: ExactDeviceRequest, path: string): readonly Problem[] => [
  ...(request.deviceClassName
    ? validateSubdomainName(request.deviceClassName, `${path}.deviceClassName`)
    : [required(`${path}.deviceClassName`)]),
  ...validateSelectors(request.selectors, `${path}.selectors`),
  ...validateCount(request, path),
  ...(request.tolerations ?? []).flatMap((t, i) => validateDeviceToleration(t, `${path}.tolerations[${i}]`)),
];

const validateRequestName = (name: string | undefined, path: string): readonly Problem[] =>
  name ? validateLabelName(name, path) : [required(path)];

function validateRequest(request: DeviceRequest, path: string): readonly Problem[] {
  const { exactly, firstAvailable: alternatives } = request;
  const said = [exactly, alternatives?.length ? alternatives : undefined].filter((one) => one !== undefined).length;
  const oneOfBoth = "exactly one of `exactly` or `firstAvailable` is required";
  const at = `${path}.firstAvailable`;
  return [
    ...validateRequestName(request.name, `${path}.name`),
    ...(said === 0 ? [required(path, oneOfBoth)] : []),
    ...(said === 2 ? [invalid(path, null, `${oneOfBoth}, but multiple fields are set`)] : []),
    ...(said === 1 && exactly ? validateExact(exactly, `${path}.exactly`) : []),
    ...(said === 1 && !exactly
      ? [
          ...validateSet(
            alternatives,
            at,
            mostAlternatives,
            (sub, inner) => [...validateRequestName(sub.name, `${inner}.name`), ...validateExact(sub, inner)],
            (sub) => sub.name,
          ),
        ]
      : []),
  ];
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

export const validateRequestRefs = (
  names: readonly string[] | undefined,
  path: string,
  known: ReadonlySet<string>,
): readonly Problem[] =>
  validateSet(
    names,
    path,
    most,
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

/** What a driver is told, in words only it knows. */
export function validateOpaque(opaque: OpaqueDeviceConfiguration | undefined, path: string): readonly Problem[] {
  const at = `${path}.opaque`;
  if (!opaque) return [required(at)];
  return [
    ...validateDriverName(opaque.driver, `${at}.driver`),
    ...validateRaw(opaque.parameters, `${at}.parameters`, longestParameters),
  ];
}

/** What is wrong with a claim to devices. */
export function validateClaim(claim: DeviceClaim = {}, path: string): readonly Problem[] {
  const known = requestNames(claim);
  return [
    ...validateSet(claim.requests, `${path}.requests`, most, validateRequest, (r) => r.name),
    ...validateEach(claim.constraints, `${path}.constraints`, most, (c, at) => validateConstraint(c, at, known)),
    ...validateEach(claim.config, `${path}.config`, most, (c: DeviceClaimConfiguration, at) => [
      ...validateRequestRefs(c.requests, `${at}.requests`, known),
      ...validateOpaque(c.opaque, at),
    ]),
  ];
}
