// Prints what is not as desired in a namespace, or in all: one line for each object, with its first root cause.
import type { ExplanationList } from "../../api/explanation/explanation.ts";
import { nameOf } from "./explanation.ts";
import { textTable } from "./table.ts";

/** The table; `namespace` is undefined for all namespaces. */
export function explanationTable({ items, remaining = 0 }: ExplanationList, namespace: string | undefined): string {
  if (items.length === 0)
    return namespace === undefined ? "Everything is as desired.\n" : `Everything in ${namespace} is as desired.\n`;
  const rows = items.map(({ object, summary, causes: [root] }) => {
    const on = root?.object && nameOf(root.object) !== nameOf(object) ? ` on ${nameOf(root.object)}` : "";
    const why = root ? `${root.reason}${on}: ${root.message}` : summary.message;
    return [...(namespace === undefined ? [object.namespace ?? ""] : []), nameOf(object), summary.state, why];
  });
  const header = [...(namespace === undefined ? ["NAMESPACE"] : []), "OBJECT", "STATE", "WHY"];
  const more = remaining > 0 ? `... and ${remaining} more.\n` : "";
  return `${textTable(header, rows)}\n${more}`;
}
