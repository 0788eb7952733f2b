// Namespace: a scope for names; its deletion deletes every object in it.
import type { Namespace } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Problem } from "../errors.ts";
import { validateQualifiedName } from "../names.ts";
import { invalid } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { Namespace } from "../generated/types.ts";

const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];

/** A finalizer is qualified by a domain, or one of the standard ones. */
function validateFinalizer(name: string, path: string): readonly Problem[] {
  const form = validateQualifiedName(name, path);
  return form.length > 0 || name.includes("/") || standardFinalizers.includes(name)
    ? form
    : [invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified")];
}

/** The phase follows from the deletion timestamp. */
function validateStatus({ metadata, status }: Namespace): readonly Problem[] {
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const phase = isDeleted ? "Terminating" : "Active";
  if (status?.phase === phase) return [];
  const when = isDeleted ? "is not empty" : "is empty";
  return [invalid("status.Phase", status?.phase, `may only be '${phase}' if \`deletionTimestamp\` ${when}`)];
}

export const namespaces = define<Namespace>({
  group: "",
  kind: "Namespace",
  shortNames: ["ns"],
  scope: "Cluster",
  nameFormat: "k8s-short-name",
  subresources: ["status", "finalize"],
  defaults: (d) => ({
    ...d,
    spec: { ...d.spec, finalizers: d.spec.finalizers ?? ["kubernetes"] },
    metadata: {
      ...d.metadata,
      ...(d.metadata.name !== undefined && {
        labels: { ...d.metadata.labels, "kubernetes.io/metadata.name": d.metadata.name },
      }),
    },
  }),
  validate: (n) => (n.spec?.finalizers ?? []).flatMap((name) => validateFinalizer(name, "spec.finalizers")),
  validateStatus,
  selectable: { "status.phase": (n) => n.status?.phase ?? "" },
  columns: [nameColumn, { name: "Status", cell: (n) => n.status?.phase ?? "" }, ageColumn],
});
