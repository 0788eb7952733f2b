// Who wrote which field of an object, from its managed fields. Pure.
import type { FieldsExplanation } from "../../api/explanation/explanation.ts";
import type { ApiObject } from "../../api/meta.ts";
import { fromFieldsV1, pathsIn } from "../registry/fields/set.ts";

/** One step of a path as people write it: `.name`, `[name="web"]`, `[="value"]` or `[0]`. */
function stepText(step: string): string {
  const value = step.slice(2);
  switch (step[0]) {
    case "k": {
      const keys = Object.entries(JSON.parse(value) as object).map(([name, is]) => `${name}=${JSON.stringify(is)}`);
      return `[${keys.join(",")}]`;
    }
    case "v":
      return `[=${value}]`;
    case "i":
      return `[${value}]`;
    default:
      return /^[\w-]+$/.test(value) ? `.${value}` : `[${JSON.stringify(value)}]`;
  }
}
const pathText = (steps: readonly string[]): string => steps.map(stepText).join("").replace(/^\./, "");

/** One entry per manager, operation and subresource, with paths such as `spec.containers[name="web"].image`. */
export const fieldsOf = ({ metadata }: ApiObject): readonly FieldsExplanation[] =>
  (metadata.managedFields ?? []).map(({ manager = "", operation = "", subresource, time, fieldsV1 }) => {
    const set = fromFieldsV1(fieldsV1);
    return {
      ...{ manager, operation },
      ...(subresource && { subresource }),
      ...(time !== undefined && { time }),
      paths: set ? [...pathsIn(set)].map(pathText) : [],
    };
  });
