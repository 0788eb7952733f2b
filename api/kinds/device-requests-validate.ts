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
import { duplicate, invalid, required, tooLong, tooMany, unsupported } from "../problems.ts";
import { validateFullDeviceName } from "./device-names-validate.ts";
import { validateDriverName } from "./storage-drivers.ts";

const most = 32;
const mostAlternatives = 8;
const longestExpression = 10 * 1024;
const nameOfRequest =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/** A list of bounded length, of which each is judged by itself. */
export const validateEach = <T>(
  list: readonly T[] | undefined,
  path: string,
  bound: number,
  validate: (item: T, path: string) => readonly Problem[],
): readonly Problem[] => [
  ...((list?.length ?? 0) > bound ? [tooMany(path, list!.length, bound)] : []),
  ...(list ?? []).flatMap((item, i) => validate(item, `${path}[${i}]`)),
];

/** Those that are there before. */
export const repeated = <T>(
  list: readonly T[] | undefined,
  path: string,
  key: (item: T) => string,
): readonly Problem[] => {
  const keys = (list ?? []).map(key);
  return keys.flatMap((k, i) => (keys.indexOf(k) < i ? [duplicate(`${path}[${i}]`, k)] : []));
};

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
          ...validateEach(alternatives, at, mostAlternatives, (sub, inner) => [
            ...validateRequestName(sub.name, `${inner}.name`),
            ...validateExact(sub, inner),
          ]),
          ...repeated(alternatives, at, (sub) => sub.name),
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

const validateRefs = (
  names: readonly string[] | undefined,
  path: string,
  known: ReadonlySet<string>,
): readonly Problem[] => [
  ...validateEach(names, path, most, (name, at) => validateRequestRef(name, at, known)),
  ...repeated(names, path, (name) => name),
];

function validateConstraint(c: DeviceConstraint, path: string, known: ReadonlySet<string>): readonly Problem[] {
  const { matchAttribute: match, distinctAttribute: distinct } = c;
  const oneOfBoth = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
  return [
    ...validateRefs(c.requests, `${path}.requests`, known),
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
    ...(opaque.parameters === undefined ? [required(`${at}.parameters`)] : []),
  ];
}

/** What is wrong with a claim to devices. */
export function validateClaim(claim: DeviceClaim = {}, path: string): readonly Problem[] {
  const known = requestNames(claim);
  return [
    ...validateEach(claim.requests, `${path}.requests`, most, validateRequest),
    ...repeated(claim.requests, `${path}.requests`, (r) => r.name),
    ...validateEach(claim.constraints, `${path}.constraints`, most, (c, at) => validateConstraint(c, at, known)),
    ...validateEach(claim.config, `${path}.config`, most, (c: DeviceClaimConfiguration, at) => [
      ...validateRefs(c.requests, `${at}.requests`, known),
      ...validateOpaque(c.opaque, at),
    ]),
  ];
}
