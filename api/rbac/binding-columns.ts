// The columns of the two kinds that give a role to somebody.
import type { Column } from "../kinds.ts";
import type { ApiObject } from "../meta.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { Binding } from "./policy-rules.ts";

const called = (b: Binding, kind: string): string =>
  (b.subjects ?? [])
    .filter((s) => s.kind === kind)
    .map((s) => (kind === "ServiceAccount" ? `${s.namespace ?? ""}/${s.name}` : s.name))
    .join(", ");

export const bindingColumns: readonly Column<ApiObject & Binding>[] = [
  nameColumn,
  { name: "Role", cell: (b) => `${b.roleRef.kind}/${b.roleRef.name}` },
  ageColumn,
  { name: "Users", priority: 1, cell: (b) => called(b, "User") },
  { name: "Groups", priority: 1, cell: (b) => called(b, "Group") },
  { name: "ServiceAccounts", priority: 1, cell: (b) => called(b, "ServiceAccount") },
];
