// The conditions of `orrery wait --for`: parsing them, and whether an object meets one. Pure.
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { JsonPath } from "../../api/jsonpath/evaluate.ts";

/** What is waited for. */
export type Condition =
  | { readonly kind: "delete" }
  | { readonly kind: "create" }
  | { readonly kind: "met"; readonly isMet: (object: ApiObject) => boolean };

interface WithConditions {
  readonly metadata: { readonly generation?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly {
      readonly type?: string;
      readonly status?: string;
      readonly observedGeneration?: number;
    }[];
  };
}

/** A condition of the status has the value, and is not about an older generation. */
function conditionIs(object: ApiObject, type: string, status: string): boolean {
  const { metadata, status: current } = object as ApiObject & WithConditions;
  const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();
  const condition = current?.conditions?.find((c) => same(c.type, type));
  if (condition === undefined || !same(condition.status, status)) return false;
  const observed = condition.observedGeneration ?? current?.observedGeneration;
  return observed === undefined || observed >= (metadata.generation ?? 0);
}

/** `{.status.phase}=Running`, or without a value: the field exists. */
function jsonPathCondition(text: string): Condition {
  const [, template = "", value] = /^('?\{.*\}'?|[^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  const bare = template.replaceAll("'", "");
  const path = bare.startsWith("{") ? bare : `{${bare.startsWith(".") ? "" : "."}${bare}}`;
  if (text.endsWith("="))
    throw new CliError(
      "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
    );
  let parsed: JsonPath;
  try {
    parsed = new JsonPath(path, true);
  } catch (error) {
    throw new CliError((error as Error).message);
  }
  const expected = value?.trim().replace(/^(['"])(.*)\1$/, "$2");
  return {
    kind: "met",
    isMet: (object) => {
      const values = parsed.results(object).flat();
      if (values.length === 0) return false;
      if (expected === undefined) return true;
      if (values.length > 1) throw new CliError(`given jsonpath expression matches more than one value`);
      const [found] = values;
      if (typeof found === "object" && found !== null)
        throw new CliError("jsonpath leads to a nested object or list which cannot be compared with a string");
      return String(found) === expected;
    },
  };
}

/** Parses the value of `--for`. Throws CliError in kubectl's words. */
export function parseCondition(text: string): Condition {
  const lower = text.toLowerCase();
  if (lower === "delete" || lower === "create") return { kind: lower };
  const [, kind, rest = ""] = /^(condition|jsonpath)=(.*)$/is.exec(text) ?? [];
  if (kind?.toLowerCase() === "jsonpath") return jsonPathCondition(rest);
  if (kind === undefined || rest === "") throw new CliError(`unrecognized condition: ${JSON.stringify(text)}`);
  const [type = "", status = "true"] = rest.split("=");
  return { kind: "met", isMet: (object) => conditionIs(object, type, status) };
}
