// StorageClass and VolumeAttributesClass: the driver that provisions or modifies volumes, with parameters for it.
// Source: the API reference of storage.k8s.io.
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import type {
  StorageClass,
  TopologySelectorLabelRequirement,
  TopologySelectorTerm,
  VolumeAttributesClass,
} from "../generated/types.ts";
import { canonicalJson } from "../hash.ts";
import { define } from "../kinds.ts";
import type { Draft, DraftMeta } from "../meta.ts";
import { validateQualifiedName } from "../names.ts";
import { duplicate, each, invalid, none, repeated, required, together, tooLong } from "../problems.ts";

const mostParameters = 512;
const mostBytes = 256 * 1024;

/** The name of a driver is a qualified name in any case. */
const validateDriver = (name: string | undefined, path: string): readonly Problem[] =>
  name ? validateQualifiedName(name.toLowerCase(), path) : none;

function validateParameters(parameters: Readonly<Record<string, string>> = {}): readonly Problem[] {
  const entries = Object.entries(parameters);
  if (entries.length > mostParameters) return [tooLong("parameters", mostParameters)];
  const bytes = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return together(
    Object.hasOwn(parameters, "") && invalid("parameters", "", "field can not be empty."),
    bytes > mostBytes && tooLong("parameters", mostBytes),
  );
}

const validateExpression = ({ key, values }: TopologySelectorLabelRequirement, path: string): readonly Problem[] =>
  together(
    values.length === 0 && required(`${path}.values`),
    repeated(values, `${path}.values`, (value) => value),
    validateQualifiedName(key, `${path}.key`),
  );

function validateTopology({ matchLabelExpressions: expressions }: TopologySelectorTerm, at: string) {
  const path = `${at}.matchLabelExpressions`;
  return together(each(expressions, path, validateExpression), repeated(expressions, path, "key"));
}

/** Terms with the same requirements in any order have the same key. */
const termKey = ({ matchLabelExpressions: expressions = [] }: TopologySelectorTerm): string =>
  canonicalJson(Object.fromEntries(expressions.map(({ key, values }) => [key, values.toSorted()])));

const validateNew = ({ allowedTopologies: terms, parameters, provisioner }: Draft<StorageClass>) =>
  together(
    !provisioner && required("provisioner"),
    validateDriver(provisioner, "provisioner"),
    validateParameters(parameters),
    each(terms, "allowedTopologies", validateTopology),
    repeated(terms, "allowedTopologies", termKey, (at) => duplicate(`${at}.matchLabelExpressions`, "")),
  );

/** The name of a class, and whether claims without a class get it. */
const markedName = (resource: string) => ({
  ...nameColumn,
  cell: ({ metadata: { annotations = {}, name } }: { readonly metadata: DraftMeta }): string =>
    [`${resource}.kubernetes.io`, `${resource}.beta.kubernetes.io`].some(
      (prefix) => annotations[`${prefix}/is-default-class`] === "true",
    )
      ? `${name} (default)`
      : `${name}`,
});

export const storageClasses = define<StorageClass>({
  group: "storage.k8s.io",
  kind: "StorageClass",
  shortNames: ["sc"],
  scope: "Cluster",
  validate: (c, old) => (old ? none : validateNew(c)),
  columns: [
    markedName("storageclass"),
    { name: "Provisioner", cell: (c) => c.provisioner },
    { name: "ReclaimPolicy", cell: (c) => c.reclaimPolicy ?? "Delete" },
    { name: "VolumeBindingMode", cell: (c) => c.volumeBindingMode ?? "Immediate" },
    { name: "AllowVolumeExpansion", cell: (c) => c.allowVolumeExpansion ?? false },
    ageColumn,
  ],
});

export const volumeAttributesClasses = define<VolumeAttributesClass>({
  group: "storage.k8s.io",
  kind: "VolumeAttributesClass",
  shortNames: ["vac"],
  scope: "Cluster",
  validate: ({ driverName, parameters }) =>
    together(validateDriver(driverName, "driverName"), validateParameters(parameters)),
  columns: [markedName("volumeattributesclass"), { name: "DriverName", cell: (c) => c.driverName }, ageColumn],
});
