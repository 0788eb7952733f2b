// label_replace and label_join.
import { RE2JS } from "re2js";
import type { Labels } from "../series/labels.ts";
import { EvaluationError, relabelled, type Vector } from "./values.ts";

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
function checkName(name: string, role: string, call: string): void {
  if (!labelName.test(name)) throw new EvaluationError(`invalid ${role} label name in ${call}(): ${name}`);
}

const reference = /\$(?:\$|(\w+)|\{(\w+)\})/g;

/** The replacement with the groups of a match, as Go's regexp expands it. */
function expand(template: string, groupOf: (name: string) => string): string {
  return template.replace(reference, (text, plain?: string, braced?: string) =>
    text === "$$" ? "$" : groupOf(plain ?? braced ?? ""),
  );
}

export function labelReplace(vector: Vector, [target, template, source, expression]: readonly string[]): Vector {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(expression!, RE2JS.DOTALL);
  } catch {
    throw new EvaluationError(`invalid regular expression in label_replace(): ${expression}`);
  }
  checkName(target!, "destination", "label_replace");
  return relabelled(vector, (labels) => {
    const match = compiled.matcher(labels.get(source!));
    if (!match.matches()) return labels;
    const group = (name: string): string => {
      try {
        return (/^\d+$/.test(name) ? match.group(Number(name)) : match.group(name)) ?? "";
      } catch {
        // A group that the expression does not have is empty.
        return "";
      }
    };
    return labels.with([target!, expand(template!, group)]);
  });
}

export function labelJoin(vector: Vector, [target, separator, ...sources]: readonly string[]): Vector {
  checkName(target!, "destination", "label_join");
  for (const source of sources) checkName(source, "source", "label_join");
  const joined = (labels: Labels): string => sources.map((source) => labels.get(source)).join(separator);
  return relabelled(vector, (labels) => labels.with([target!, joined(labels)]));
}
