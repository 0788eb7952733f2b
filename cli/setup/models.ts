// Reads the models of the API from the official JavaScript client: fields and formats from its code, documentation and
// required marks from its declarations.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Field {
  readonly name: string;
  /** In the client's notation: `string`, `Array<V1Pod>`, `{ [key: string]: string; }`, … */
  readonly type: string;
  readonly format: string;
  readonly required: boolean;
  readonly description: string;
}
export interface Model {
  readonly className: string;
  readonly description: string;
  readonly fields: readonly Field[];
}

/** Text of a doc comment of the client, which escapes quotes as HTML or with backslashes. */
const plainText = (doc: string): string =>
  doc
    .replaceAll(/^\s*\* ?/gm, "")
    .replaceAll(/\\(["'])/g, "$1")
    .replaceAll("&#39;", "'")
    .replaceAll(/\s+/g, " ")
    .trim();

const attributes = (code: string): readonly { name: string; baseName: string; type: string; format: string }[] =>
  JSON.parse(/attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(code)?.[1] ?? "[]");

function readModel(folder: string, className: string): Model {
  const declaration = readFileSync(join(folder, `${className}.d.ts`), "utf8");
  const body = declaration.slice(declaration.indexOf("export declare class"));
  const documented = new Map(
    [...body.matchAll(/(?:\/\*\*([\s\S]*?)\*\/\s*)?'([^']+)'(\??): /g)].map(
      ([, doc, name, optional]) => [name, { doc: plainText(doc ?? ""), required: optional === "" }] as const,
    ),
  );
  const comments = [
    ...declaration.slice(0, declaration.indexOf("export declare class")).matchAll(/\/\*\*([\s\S]*?)\*\//g),
  ];
  return {
    className,
    description: plainText(comments.at(-1)?.[1] ?? ""),
    fields: attributes(readFileSync(join(folder, `${className}.js`), "utf8")).map((a) => ({
      name: a.baseName,
      type: a.type,
      format: a.format,
      required: documented.get(a.name)?.required ?? false,
      description: documented.get(a.name)?.doc ?? "",
    })),
  };
}

const isModel = /^(?!.*V?\d(alpha|beta)\d)([A-Z]\w+)\.d\.ts$/;
/** Models of the one alpha version that is served: that of pod groups. */
const isServedAlpha = /^(V1alpha2[A-Z]\w+)\.d\.ts$/;

/** The models of the API. Kubernetes does not serve alpha and beta versions by default. */
export function readModels(client: string): readonly Model[] {
  const folder = join(client, "dist/gen/models");
  return readdirSync(folder)
    .flatMap((file) => isModel.exec(file)?.[2] ?? isServedAlpha.exec(file)?.[1] ?? [])
    .filter((className) => className !== "ObjectSerializer" && className !== "IntOrString")
    .map((className) => readModel(folder, className))
    .filter((model) => model.fields.length > 0);
}

/** The models that the operations of each API group use, for example `AppsV1` → `V1Deployment`, … */
export function readGroups(client: string): ReadonlyMap<string, readonly string[]> {
  const folder = join(client, "dist/gen/apis");
  return new Map(
    readdirSync(folder).flatMap((file) => {
      const group = /^(\w+V\d(?:alpha2)?)Api\.d\.ts$/.exec(file)?.[1];
      if (group === undefined) return [];
      const imports = readFileSync(join(folder, file), "utf8").matchAll(/import \{ (\w+) \} from '\.\.\/models/g);
      return [[group, [...imports].map(([, name]) => name as string)] as const];
    }),
  );
}
