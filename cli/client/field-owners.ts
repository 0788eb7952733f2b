// Moves the fields that client-side apply owns to a manager of server-side apply, so that the server removes fields
// which the manifest no longer has. Pure. Source: the Kubernetes documentation's "Upgrading from client-side apply".
import type { ApiObject, ManagedFieldsEntry } from "../../api/meta.ts";
import { lastApplied } from "./last-applied.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The fields that either set has. */
const union = (a: Fields, b: Fields): Fields => ({
  ...a,
  ...Object.fromEntries(
    Object.entries(b).map(([key, below]) => [key, union((a[key] ?? {}) as Fields, below as Fields)]),
  ),
});
const fieldsOf = (entry: ManagedFieldsEntry): Fields => (entry.fieldsV1 ?? {}) as Fields;

/** Whether an entry owns the annotation with the last configuration. */
function ownsAnnotation(entry: ManagedFieldsEntry): boolean {
  const metadata = fieldsOf(entry)["f:metadata"] as Fields | undefined;
  const annotations = metadata?.["f:annotations"] as Fields | undefined;
  return annotations?.[`f:${lastApplied}`] !== undefined;
}

/** Whether a manager of server-side apply owns the annotation. */
export const appliesAnnotation = ({ metadata }: ApiObject): boolean =>
  (metadata.managedFields ?? []).some((entry) => entry.operation === "Apply" && ownsAnnotation(entry));

/** The owners after the move, or undefined when client-side apply owns nothing. */
export function movedOwners({ metadata }: ApiObject, manager: string): readonly ManagedFieldsEntry[] | undefined {
  const entries = metadata.managedFields ?? [];
  const isUpdate = ({ operation, subresource }: ManagedFieldsEntry): boolean => operation === "Update" && !subresource;
  const managers = entries.filter((entry) => isUpdate(entry) && ownsAnnotation(entry)).map((entry) => entry.manager);
  if (managers.length === 0) return undefined;
  const moved = entries.filter((entry) => isUpdate(entry) && managers.includes(entry.manager));
  const isTarget = (entry: ManagedFieldsEntry): boolean =>
    entry.operation === "Apply" && entry.manager === manager && !entry.subresource;
  const target = entries.find(isTarget) ?? { ...moved[0]!, manager, operation: "Apply" };
  const fieldsV1 = moved.map(fieldsOf).reduce(union, fieldsOf(target));
  const others = entries.filter((entry) => !moved.includes(entry) && !isTarget(entry));
  return [...others, { ...target, fieldsV1 }];
}
