// Checks of the schema keywords that concern one value. Source: the API reference of JSONSchemaProps; the messages are
// those of Kubernetes' validation of custom resources.
import type { Problem } from "./errors.ts";
import { invalid, none, tooLong, tooMany, unsupported } from "./problems.ts";
import { openApiFormats } from "./openapi-formats.ts";
import type { Schema } from "./schema.ts";

/** `say` returns the message when it contains the path, which only the caller has. */
export interface Found extends Problem {
  readonly say?: (path: string) => string;
}
/** Validates a value, with paths relative to it; `old` is the value before an update. */
export type Check = (value: unknown, old: unknown) => readonly Found[];

/** `spec.size in body should be at least 1 chars long` */
const inBody = (shown: unknown, detail: string, reason?: Problem["reason"]): readonly Found[] => [
  {
    ...invalid("", shown, ""),
    ...(reason && { reason }),
    say: (path) => invalid("", shown, `${path} in body ${detail}`).message,
  },
];
const ofWrongType = (shown: unknown, type: string, found: string): readonly Found[] =>
  inBody(shown, `must be of type ${type}: ${JSON.stringify(found)}`, "FieldValueTypeInvalid");

/** A check that reports values for which a condition does not hold. */
const unless =
  <T>(holds: (value: T) => boolean, report: (value: T) => readonly Found[]): Check =>
  (value) =>
    holds(value as T) ? none : report(value as T);

const lengthOf = (text: string): number => [...text].length;
const sizeOf = (map: object): number => Object.keys(map).length;

function enumCheck({ enum: values, omitZero, open }: Schema): Check | undefined {
  if (values === undefined || open) return undefined;
  const known = new Set(values);
  if (omitZero) known.add("");
  return unless(
    (value) => known.has(value),
    (value) => [unsupported("", value, values.map(String))],
  );
}

function boundsCheck({ bounds, omitZero }: Schema): Check | undefined {
  if (bounds === undefined) return undefined;
  const [least, most, detail, above = detail] = bounds;
  const top = most ?? Number.POSITIVE_INFINITY;
  const usual =
    most === undefined
      ? `must be greater than or equal to ${least}`
      : `must be between ${least} and ${most}, inclusive`;
  return unless(
    (value) => typeof value !== "number" || (value >= least && value <= top) || (omitZero === true && value === 0),
    (value) => [invalid("", value, (Number(value) > top ? above : detail) ?? usual)],
  );
}

/** The check of a keyword with a value; none where the keyword is absent. */
const limit = <K, T>(
  keyword: K | undefined,
  holds: (value: T, keyword: K) => boolean,
  report: (value: T, keyword: K) => readonly Found[],
): Check | undefined =>
  keyword === undefined
    ? undefined
    : unless<T>(
        (value) => holds(value, keyword),
        (value) => report(value, keyword),
      );

/** The checks of keywords for numbers, texts, lists and maps. */
function valueChecks(s: Schema): readonly (Check | undefined)[] {
  const [orMin, orMax] = [s.exclusiveMinimum, s.exclusiveMaximum].map((isExclusive) =>
    isExclusive ? "" : " or equal to",
  );
  const pattern = s.pattern === undefined ? undefined : new RegExp(s.pattern, "u");
  const hasFormat = openApiFormats[s.openApiFormat ?? ""];
  return [
    limit<number, number>(
      s.minimum,
      (n, min) => n > min || (n === min && s.exclusiveMinimum !== true),
      (n, min) => inBody(n, `should be greater than${orMin} ${min}`),
    ),
    limit<number, number>(
      s.maximum,
      (n, max) => n < max || (n === max && s.exclusiveMaximum !== true),
      (n, max) => inBody(n, `should be less than${orMax} ${max}`),
    ),
    limit<number, number>(
      s.multipleOf,
      (n, factor) => Number.isInteger(n / factor),
      (n, factor) => inBody(n, `should be a multiple of ${factor}`),
    ),
    limit<number, string>(
      s.minLength,
      (text, min) => lengthOf(text) >= min,
      (text, min) => inBody(text, `should be at least ${min} chars long`),
    ),
    limit<number, string>(
      s.maxLength,
      (text, max) => text.length <= max || lengthOf(text) <= max,
      (_, max) => [tooLong("", max)],
    ),
    limit<RegExp, string>(
      pattern,
      (text, form) => form.test(text),
      (text) => inBody(text, `should match '${s.pattern}'`),
    ),
    hasFormat && unless<string>(hasFormat, (text) => ofWrongType(text, s.openApiFormat!, text)),
    limit<number, readonly unknown[]>(
      s.minItems,
      ({ length }, min) => length >= min,
      ({ length }, min) => inBody(length, `should have at least ${min} items`),
    ),
    limit<number, object>(
      s.minProperties,
      (map, min) => sizeOf(map) >= min,
      (map, min) => inBody(sizeOf(map), `should have at least ${min} properties`),
    ),
    limit<number, object>(
      s.maxProperties,
      (map, max) => sizeOf(map) <= max,
      (map, max) => [tooMany("", sizeOf(map), max)],
    ),
  ];
}

const typeOf = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
};
const isOfType = (value: unknown, type: string | undefined): boolean =>
  type === undefined || typeOf(value) === type || (type === "number" && typeof value === "number");

/**
 * For custom resources, whose values are not decoded by type: a value of a wrong type is reported, and not checked
 * further.
 */
export function ofType({ type, nullable, "x-kubernetes-int-or-string": intOrString }: Schema, check: Check): Check {
  const types = intOrString ? ["integer", "string"] : type === undefined ? [] : [type];
  const isRight = (value: unknown): boolean => types.length === 0 || types.some((one) => isOfType(value, one));
  return (value, old) => {
    if (value === null && nullable) return none;
    if (isRight(value)) return check(value, old);
    const found = typeOf(value);
    return ofWrongType(found, types.join(","), found);
  };
}

/** The checks of allOf, anyOf, oneOf and not, whose branches also check the type. */
function logicChecks(schema: Schema, checkOf: (branch: Schema) => Check): readonly (Check | undefined)[] {
  const matches = (branch: Schema): ((value: unknown) => boolean) => {
    const check = checkOf(branch);
    return (value) => isOfType(value, branch.type) && check(value, undefined).length === 0;
  };
  const say = (detail: string, value: unknown): readonly Found[] => {
    const shown = typeof value === "object" ? "" : value;
    return [
      { ...invalid("", shown, ""), say: (path) => invalid("", shown, `${JSON.stringify(path)} ${detail}`).message },
    ];
  };
  const { allOf, anyOf, oneOf, not } = schema;
  const [every, any, one] = [allOf?.map(checkOf), anyOf?.map(matches), oneOf?.map(matches)];
  const refused = not && matches(not);
  return [
    every && ((value) => every.flatMap((check) => check(value, undefined))),
    any &&
      unless(
        (v) => any.some((m) => m(v)),
        (v) => say("must validate at least one schema (anyOf)", v),
      ),
    one &&
      ((value) => {
        const met = one.filter((m) => m(value)).length;
        if (met === 1) return none;
        const count = met === 0 ? "Found none valid" : `Found ${met} valid alternatives`;
        return say(`must validate one and only one schema (oneOf). ${count}`, value);
      }),
    refused &&
      unless(
        (v) => !refused(v),
        (v) => say("must not validate the schema (not)", v),
      ),
  ];
}

/** The checks of one schema, without those of fields and items. */
export function keywordsOf(schema: Schema, checkOf: (branch: Schema) => Check): readonly (Check | undefined)[] {
  return [enumCheck(schema), boundsCheck(schema), ...valueChecks(schema), ...logicChecks(schema, checkOf)];
}
