// Fields move from client-side apply to a manager of server-side apply.
import { expect, test } from "vitest";
import type { ApiObject, ManagedFieldsEntry } from "../../../../api/meta.ts";
import { appliesAnnotation, movedOwners } from "../../../../cli/client/field-owners.ts";
import { lastApplied } from "../../../../cli/client/last-applied.ts";

const annotation = { "f:metadata": { "f:annotations": { [`f:${lastApplied}`]: {} } } };
const entry = (manager: string, operation: string, fieldsV1: object, subresource?: string): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: "v1",
  fieldsV1,
  ...(subresource && { subresource }),
});
const object = (...managedFields: readonly ManagedFieldsEntry[]): ApiObject =>
  ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", managedFields } }) as unknown as ApiObject;

const clientSide = entry("kubectl-client-side-apply", "Update", { ...annotation, "f:data": { "f:a": {} } });
const other = entry("controller", "Update", { "f:data": { "f:b": {} } });

test("the manager that owns the annotation becomes the one of server-side apply", () => {
  expect(movedOwners(object(clientSide, other), "kubectl")).toEqual([
    other,
    { ...clientSide, manager: "kubectl", operation: "Apply" },
  ]);
});
test("its fields are added to those that are applied already", () => {
  const applied = entry("kubectl", "Apply", { "f:data": { "f:c": {} } });
  expect(movedOwners(object(clientSide, applied), "kubectl")).toEqual([
    { ...applied, fieldsV1: { ...annotation, "f:data": { "f:a": {}, "f:c": {} } } },
  ]);
});
test("without the annotation, and in subresources, nothing moves", () => {
  expect(movedOwners(object(other), "kubectl")).toBeUndefined();
  expect(movedOwners(object(entry("x", "Update", annotation, "status")), "kubectl")).toBeUndefined();
  expect(movedOwners(object(), "kubectl")).toBeUndefined();
});
test("whether the annotation is applied", () => {
  expect(appliesAnnotation(object(clientSide))).toBe(false);
  expect(appliesAnnotation(object(entry("kubectl-last-applied", "Apply", annotation)))).toBe(true);
});
