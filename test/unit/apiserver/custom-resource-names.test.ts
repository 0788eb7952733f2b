// Names of custom resources among those of others: what is accepted, and which condition says so.
import { expect, test } from "vitest";
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from "../../../api/generated/types.ts";
import { instant } from "../../../api/meta.ts";
import { statusAmong } from "../../../apiserver/customresources/names.ts";

const names: CustomResourceDefinitionNames = {
  ...{ plural: "lamps", singular: "lamp", kind: "Lamp", listKind: "LampList", shortNames: ["lp"] },
};
const definition = (
  requested: CustomResourceDefinitionNames,
  status: CustomResourceDefinition["status"] = {},
): CustomResourceDefinition =>
  ({ spec: { group: "house.example.com", names: requested, versions: [] }, status }) as never;
const now = instant(0);
const conditionsOf = (status: NonNullable<CustomResourceDefinition["status"]>) =>
  Object.fromEntries((status.conditions ?? []).map((c) => [c.type, `${c.status} ${c.reason}`]));

test("free names are accepted, and the definition is established", () => {
  const status = statusAmong(definition(names), [], now);
  expect(status.acceptedNames).toEqual(names);
  expect(conditionsOf(status)).toEqual({
    NamesAccepted: "True NoConflicts",
    Established: "True InitialNamesAccepted",
  });
});

const conflicts: readonly (readonly [
  field: string,
  taken: CustomResourceDefinitionNames,
  reason: string,
  accepted: object,
])[] = [
  ["plural", { plural: "lamps", kind: "X" }, "PluralConflict", { ...names, plural: "" }],
  ["singular", { plural: "x", singular: "lamp", kind: "X" }, "SingularConflict", { singular: undefined }],
  ["short name", { plural: "lp", kind: "X" }, "ShortNamesConflict", { shortNames: undefined }],
  ["kind", { plural: "x", kind: "Lamp" }, "KindConflict", { ...names, kind: "" }],
  ["list kind", { plural: "x", kind: "LampList" }, "ListKindConflict", { listKind: undefined }],
];
test.each(conflicts)("a %s that another definition has", (_, taken, reason, accepted) => {
  const other = definition(taken, { acceptedNames: taken });
  const status = statusAmong(definition(names), [other], now);
  expect(conditionsOf(status)).toEqual({ NamesAccepted: `False ${reason}`, Established: "False NotAccepted" });
  expect({ ...status.acceptedNames }).toEqual({ ...names, ...accepted });
});

test("a definition that is established stays so when it requests a name that is taken, and keeps its name", () => {
  const before = statusAmong(definition(names), [], now);
  const other = definition({ plural: "x", kind: "Light" }, { acceptedNames: { plural: "x", kind: "Light" } });
  const status = statusAmong(definition({ ...names, kind: "Light" }, before), [other], now);
  expect(status.acceptedNames?.kind).toBe("Lamp");
  expect(conditionsOf(status)).toEqual({
    NamesAccepted: "False KindConflict",
    Established: "True InitialNamesAccepted",
  });
});

test("only accepted names are taken", () => {
  const refused = definition(names, { acceptedNames: { plural: "", kind: "" } });
  expect(conditionsOf(statusAmong(definition(names), [refused], now))["NamesAccepted"]).toBe("True NoConflicts");
});
