// Builds the documentation of types, fields and query parameters: descriptions, enumerations, defaults. Kept apart from
// the schemas, because only OpenAPI documents need it.
import { columnFields } from "./column-fields.ts";
import { defaultValues, enumeration } from "./enumerations.ts";
import type { Field, Model } from "./models.ts";
import { bestOf, nativeTypes, readParameters, readProse } from "./prose.ts";

interface Annotation {
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
}
interface AnnotatedType extends Annotation {
  readonly fields: Readonly<Record<string, Annotation>>;
}

/** Zero values of Go, the defaults of required fields. */
const zero: Readonly<Record<string, unknown>> = { string: "", number: 0, boolean: false };

const enumText = (values: readonly string[]): string =>
  ["\n\nPossible enum values:", ...values.map((value) => ` - \`"${value}"\``)].join("\n");

function annotation(type: string, field: Field, older: string): Annotation {
  const path = `${type}.${field.name}`;
  const text = bestOf(field.description, older);
  const values = enumeration(path);
  const description = values ? `${text}${enumText(values)}`.trim() : text;
  const defaultValue = path in defaultValues ? defaultValues[path] : field.required ? zero[field.type] : undefined;
  return {
    ...(description !== "" && { description }),
    ...(values && { enum: values }),
    ...(defaultValue !== undefined && { default: defaultValue }),
  };
}

/** Documentation of types, by published name, and of query parameters. */
interface Annotations {
  readonly types: Readonly<Record<string, AnnotatedType>>;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Descriptions of the table columns that show a field, by kind and header. */
export function columnTexts({ types }: Annotations): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const stable = Object.entries(types).filter(([name]) => /^io\.k8s\.(api|apimachinery)\./.test(name));
  const fields = new Map<string, string>(
    // Later entries win: where two groups have a type of the same name, the core group's is used.
    stable
      .toSorted(([a], [b]) => Number(a.includes(".core.v1.")) - Number(b.includes(".core.v1.")))
      .flatMap(([name, type]) =>
        Object.entries(type.fields).map(
          ([field, { description = "" }]) =>
            [`${name.slice(name.lastIndexOf(".") + 1)}.${field}`, description] as const,
        ),
      ),
  );
  return Object.fromEntries(
    Object.entries(columnFields).map(([kind, columns]) => [
      kind,
      Object.fromEntries(Object.entries(columns).map(([header, field]) => [header, fields.get(field) ?? ""])),
    ]),
  );
}

/** Documentation of all models. `names` maps class names to published names; `packages` are npm package folders. */
export function annotations(
  models: readonly Model[],
  names: ReadonlyMap<string, string>,
  packages: { readonly client: string; readonly types: string },
): Annotations {
  const prose = readProse(packages.types);
  const ofTypes = new Map(models.map((m) => [m.className, m.description]));
  const annotated = (model: Model): readonly [string, AnnotatedType] => {
    const name = names.get(model.className)!;
    const older = prose(name);
    const description = bestOf(model.description, older?.get(""));
    const type = name.slice(name.lastIndexOf(".") + 1);
    // A field without a description takes that of its type.
    const fields = model.fields.map(
      (f) => [f.name, annotation(type, f, older?.get(f.name) || ofTypes.get(f.type) || "")] as const,
    );
    return [name, { ...(description !== "" && { description }), fields: Object.fromEntries(fields) }];
  };
  const native = nativeTypes.map((name): readonly [string, AnnotatedType] => {
    const description = prose(name)?.get("");
    return [name, { ...(description && { description }), fields: {} }];
  });
  return {
    types: Object.fromEntries([...native, ...models.map(annotated)]),
    parameters: readParameters(packages.client),
  };
}
