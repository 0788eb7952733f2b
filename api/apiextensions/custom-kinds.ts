// The kinds that a CustomResourceDefinition adds: one for each version that is served. Pure. Source: the API reference
// of CustomResourceDefinition; the custom resources page.
import { age } from "../age.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { withDefaults } from "../defaulting.ts";
import type { Problem } from "../errors.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
  JSONSchemaProps,
} from "../generated/types.ts";
import { JsonPath } from "../jsonpath/evaluate.ts";
import { type Column, define, type ResourceDefinition, type ScalePaths, type VersionConversion } from "../kinds.ts";
import type { ApiObject, Draft, Instant } from "../meta.ts";
import { invalid } from "../problems.ts";
import { decode, type Schema } from "../schema.ts";
import { problemsAt } from "../validation.ts";
import { schemaOfCustomResource } from "./custom-schema.ts";

/** Validates objects by the expressions in a schema. */
export type ValidateRules = (object: Draft<ApiObject>, old: ApiObject | undefined) => readonly Problem[];
/** Compiles the expressions in a schema; undefined when it has none. */
export type CompileRules = (schema: JSONSchemaProps | undefined) => ValidateRules | undefined;

const fieldsOf = (path: string): readonly string[] => path.split(".").filter((step) => step !== "");

/** The value at a path of fields. */
export const valueAt = (object: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, field) => (value as Readonly<Record<string, unknown>> | undefined)?.[field], object);

/** `example.com` is published as `com.example`. */
const publishedName = (group: string, version: string, kind: string): string =>
  [...group.split(".").toReversed(), version, kind].join(".");

const dateCell = (value: unknown, now: Instant): string => {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? "<invalid>" : age(at as Instant, now);
};

/** A cell of the type of its column; what is of another type is not shown. */
function cellOf(type: string, value: unknown, now: Instant): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  if (type === "date") return dateCell(value, now);
  if (type === "integer" || type === "number")
    return typeof value === "number" ? (type === "integer" ? Math.trunc(value) : value) : null;
  if (type === "boolean") return typeof value === "boolean" ? value : null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function columnOf({ name, type, jsonPath, priority, description }: CustomResourceColumnDefinition): Column<ApiObject> {
  const path = new JsonPath(`{${jsonPath}}`, true);
  const first = (object: ApiObject): unknown => {
    try {
      return path.results(object)[0]?.[0];
    } catch {
      return undefined;
    }
  };
  return {
    name,
    type: type as NonNullable<Column<ApiObject>["type"]>,
    ...(priority !== undefined && { priority: priority === 0 ? 0 : 1 }),
    ...(description !== undefined && { description }),
    cell: (object, now) => cellOf(type, first(object), now),
  };
}

const scalePaths = (scale: CustomResourceSubresourceScale): ScalePaths => ({
  specReplicas: fieldsOf(scale.specReplicasPath),
  statusReplicas: fieldsOf(scale.statusReplicasPath),
  ...(scale.labelSelectorPath && { labelSelector: fieldsOf(scale.labelSelectorPath) }),
});

const textOf = (value: unknown): string => (typeof value === "object" || value === undefined ? "" : String(value));

const selectableOf = ({ selectableFields = [] }: CustomResourceDefinitionVersion): ResourceDefinition["selectable"] =>
  Object.fromEntries(
    selectableFields.map(({ jsonPath }) => {
      const path = fieldsOf(jsonPath);
      return [path.join("."), (object: ApiObject) => textOf(valueAt(object, path))] as const;
    }),
  );

/** Restrictions of the names of objects, which a schema may make. */
function validateMeta(props: JSONSchemaProps | undefined): (object: Draft<ApiObject>) => readonly Problem[] {
  const restricted = props?.properties?.["metadata"];
  if (!restricted) return () => [];
  const schema = schemaOfCustomResource(restricted);
  const own = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([n]) => /^(generateN|n)ame$/.test(n)));
  return ({ metadata }) => problemsAt("metadata", { ...schema, properties: own }, metadata);
}

/** Between what is stored, in any version and by an earlier schema, and a version of now. */
function conversionOf(schema: Schema, apiVersion: string, of: () => ResourceDefinition): VersionConversion {
  const inVersion = <T extends ApiObject | Draft<ApiObject>>(object: T, version: string, by: Schema, old?: T): T => {
    const own = (object as ApiObject).apiVersion === version ? object : { ...object, apiVersion: version };
    return withDefaults(by, decode(by, own, old).value as T, old);
  };
  return {
    get of() {
      return of();
    },
    toStored: (object, old) => {
      const { schema: stored, group, version } = of();
      return inVersion<Draft<ApiObject>>(object, `${group}/${version}`, stored, old as Draft<ApiObject> | undefined);
    },
    fromStored: (object) => inVersion(object, apiVersion, schema),
  };
}

/** Problems after which expressions are not evaluated, since they rely on the types. */
const blocking: readonly Problem["reason"][] = [
  ...(["FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong"] as const),
  ...(["FieldValueTooMany", "FieldValueTypeInvalid"] as const),
];
const unchecked = invalid(
  "<nil>",
  "null",
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
);

const withRules =
  (validate: ResourceDefinition["validate"], rules: ValidateRules): ResourceDefinition["validate"] =>
  (object, old) => {
    const problems = validate(object, old);
    const isBlocked = problems.some(({ reason }) => blocking.includes(reason));
    return [...problems, ...(isBlocked ? [unchecked] : rules(object, old))];
  };

/** Completes a definition with what its version declares. `of` is the version in which objects are stored. */
function kindOf(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  compile: CompileRules,
  of: () => ResourceDefinition,
): ResourceDefinition {
  const { group, scope, names } = crd.spec;
  const { name, subresources = {}, additionalPrinterColumns: columns = [], deprecated, deprecationWarning } = version;
  const props = version.schema?.openAPIV3Schema;
  const schema = schemaOfCustomResource(props);
  const [validateRules, validateNames] = [compile(props), validateMeta(props)];
  const apiVersion = `${group}/${name}`;
  const kind = define<ApiObject>({
    ...{ group, version: name, kind: names.kind, plural: names.plural, schema, custom: true },
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    scope: scope as ResourceDefinition["scope"],
    published: publishedName(group, name, names.kind),
    nameFormat: "k8s-long-name",
    subresources: [
      ...(subresources.status === undefined ? [] : (["status"] as const)),
      ...(subresources.scale ? (["scale"] as const) : []),
    ],
    ...(subresources.scale && { scaled: scalePaths(subresources.scale) }),
    generation: "content",
    allowUnconditionalUpdate: false,
    columns: [nameColumn, ...(columns.length > 0 ? columns.map(columnOf) : [ageColumn])],
    selectable: selectableOf(version),
    ...(deprecated && { deprecated: deprecationWarning ?? `${apiVersion} ${names.kind} is deprecated` }),
    form: conversionOf(schema, apiVersion, of),
    validate: validateNames,
    openApi: props ?? {},
  });
  return validateRules ? { ...kind, validate: withRules(kind.validate, validateRules) } : kind;
}

/** The kinds of a definition, for the versions that are served. */
export function customKinds(crd: CustomResourceDefinition, compile: CompileRules): readonly ResourceDefinition[] {
  const served = crd.spec.versions.filter(({ served }) => served);
  const stored = Math.max(
    0,
    served.findIndex(({ storage }) => storage),
  );
  const kinds: ResourceDefinition[] = [];
  for (const version of served) kinds.push(kindOf(crd, version, compile, () => kinds[stored]!));
  return kinds;
}
