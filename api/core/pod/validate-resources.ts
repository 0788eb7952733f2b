// Validation of the resources of a container and of a pod as a whole.
import type { CoreV1ResourceClaim, PodSpec, ResourceRequirements } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateLabelName } from "../../names.ts";
import { duplicate, each, forbidden, invalid, none, required, together, unsupported } from "../../problems.ts";
import { formatQuantity, parseQuantity, type Quantity } from "../../quantity.ts";
import {
  isHugePages,
  isOvercommitted,
  validateAmount,
  validateContainerResourceName,
  validateResourceName,
} from "../../resource-names.ts";

type NameRule = (name: string, path: string) => readonly Problem[];

/** An amount of huge pages is a multiple of their size. */
function validatePages(name: string, text: string, path: string): readonly Problem[] {
  if (!isHugePages(name)) return none;
  const [size, amount] = [parseQuantity(name.slice("hugepages-".length)), parseQuantity(text)];
  const fits = size && amount && size.nano > 0n && amount.nano % size.nano === 0n;
  return fits || !amount ? [] : [invalid(path, text, `${text} is not positive integer multiple of ${name}`)];
}

function validateAgainstLimit(
  name: string,
  request: Quantity,
  limit: Quantity | undefined,
  path: string,
): readonly Problem[] {
  const shared = isOvercommitted(name);
  if (!limit) return shared ? none : [required(`${path}.limits`, "Limit must be set for non overcommitable resources")];
  const must = (be: string): readonly Problem[] => [
    invalid(`${path}.requests`, formatQuantity(request), `must be ${be} ${name} limit of ${formatQuantity(limit)}`),
  ];
  if (!shared && request.nano !== limit.nano) return must("equal to");
  return request.nano > limit.nano ? must("less than or equal to") : none;
}

function validateClaims(
  claims: readonly CoreV1ResourceClaim[],
  ofPod: readonly string[],
  path: string,
): readonly Problem[] {
  if (claims.length === 0) return none;
  const hint = ofPod.length === 0 ? " which is empty" : `: ${ofPod.toSorted().join(", ")}`;
  const keyOf = (c: CoreV1ResourceClaim): string => (c.request ? `${c.name}/${c.request}` : c.name);
  return each(claims, path, (claim, at, i) => {
    if (!claim.name) return [required(at)];
    const before = claims.slice(0, i);
    const isRepeated = before.some(
      (c) => keyOf(c) === keyOf(claim) || (c.name === claim.name && (!c.request || !claim.request)),
    );
    return together(
      validateLabelName(claim.request, `${at}.request`),
      isRepeated && duplicate(at, keyOf(claim)),
      !ofPod.includes(claim.name) && {
        path: at,
        message: `Not found: ${JSON.stringify(claim.name)}: must be one of the names in pod.spec.resourceClaims${hint}`,
        reason: "FieldValueNotFound" as const,
      },
    );
  });
}

/** The allowed resource names, and the claims of the pod. */
interface Scope {
  readonly validateName: NameRule;
  readonly claims: readonly string[];
}

function validateRequirements(r: ResourceRequirements, path: string, { validateName, claims }: Scope) {
  const { limits = {}, requests = {} } = r;
  const validateAmounts = (amounts: Readonly<Record<string, string>>, at: string): readonly Problem[] =>
    Object.entries(amounts).flatMap(([name, text]) => {
      const place = `${at}[${name}]`;
      return together(validateName(name, place), validateAmount(name, text, place), validatePages(name, text, place));
    });
  const aboveLimit = Object.entries(requests).flatMap(([name, text]) => {
    const request = parseQuantity(text);
    return request ? validateAgainstLimit(name, request, parseQuantity(limits[name] ?? ""), path) : none;
  });
  const named = [...Object.keys(limits), ...Object.keys(requests)];
  const onlyPages = named.some(isHugePages) && !named.some((name) => name === "cpu" || name === "memory");
  return together(
    validateAmounts(limits, `${path}.limits`),
    validateAmounts(requests, `${path}.requests`),
    aboveLimit,
    onlyPages && forbidden(path, "HugePages require cpu or memory"),
    validateClaims(r.claims ?? [], claims, `${path}.claims`),
  );
}

/** Validates the resources of a container; `claims` are the names of its pod's claims. */
export const validateResources = (
  r: ResourceRequirements | undefined,
  claims: readonly string[],
  path: string,
): readonly Problem[] =>
  r ? validateRequirements(r, path, { validateName: validateContainerResourceName, claims }) : none;

const ofPods = (name: string): boolean => name === "cpu" || name === "memory" || isHugePages(name);
const validatePodResourceName: NameRule = (name, path) => {
  const form = validateResourceName(name, path);
  return form.length > 0 || ofPods(name) ? form : [unsupported(path, name, ["cpu", "hugepages-", "memory"])];
};

/** Validates pod-level resources (KEP-2837). */
export function validatePodResources(spec: PodSpec, path: string): readonly Problem[] {
  const { resources, os } = spec;
  if (!resources) return [];
  if (os?.name === "windows") return [forbidden(`${path}.resources`, "may not be set for a windows pod")];
  const limitOf = (name: string): Quantity | undefined => parseQuantity(resources.limits?.[name] ?? "");
  const above = (spec.containers ?? []).flatMap((c, i) =>
    Object.entries(c.resources?.limits ?? {}).flatMap(([name, text]) => {
      const [own, ofPod] = [parseQuantity(text), limitOf(name)];
      if (!own || !ofPod || own.nano <= ofPod.nano) return [];
      const at = `${path}.resources.containers[${i}][${name}].limits`;
      return [invalid(at, text, `must be less than or equal to pod limits of ${formatQuantity(ofPod)}`)];
    }),
  );
  return together(
    resources.claims && forbidden(`${path}.resources.claims`, "claims may not be set for Resources at pod-level"),
    validateRequirements({ ...resources, claims: undefined }, `${path}.resources`, {
      validateName: validatePodResourceName,
      claims: [],
    }),
    above,
  );
}
