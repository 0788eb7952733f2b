// StorageClass: a kind of storage to be had, and who provides it.
import type { Problem } from "../errors.ts";
import type { StorageClass, TopologySelectorTerm } from "../generated/types.ts";
import { canonicalJson } from "../hash.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName } from "../names.ts";
import { duplicate, required } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import {
  defaultMark,
  forbiddenUpdate,
  keptParameters,
  validateParameters,
  validateProvider,
} from "./storage-parameters.ts";

function validateTopology(term: TopologySelectorTerm, path: string): readonly Problem[] {
  const expressions = term.matchLabelExpressions ?? [];
  return expressions.flatMap((e, i) => {
    const at = `${path}.matchLabelExpressions[${i}]`;
    const repeated = (e.values ?? []).flatMap((v, j, all) =>
      all.indexOf(v) < j ? [duplicate(`${at}.values[${j}]`, v)] : [],
    );
    return [
      ...(e.values?.length ? repeated : [required(`${at}.values`)]),
      ...validateQualifiedName(e.key, `${at}.key`),
      ...(expressions.findIndex((other) => other.key === e.key) < i ? [duplicate(`${at}.key`, e.key)] : []),
    ];
  });
}

/** Terms that say the same twice. */
const repeatedTerms = (terms: readonly TopologySelectorTerm[]): readonly Problem[] => {
  const texts = terms.map((t) =>
    canonicalJson(Object.fromEntries((t.matchLabelExpressions ?? []).map((e) => [e.key, e.values?.toSorted()]))),
  );
  return texts.flatMap((text, i) =>
    texts.indexOf(text) < i ? [duplicate(`allowedTopologies[${i}].matchLabelExpressions`, "")] : [],
  );
};

function validate(c: Draft<StorageClass>, old?: StorageClass): readonly Problem[] {
  if (old)
    return [
      ...keptParameters(c.parameters, old.parameters),
      ...(c.provisioner === old.provisioner ? [] : [forbiddenUpdate("provisioner")]),
      ...(c.reclaimPolicy === old.reclaimPolicy ? [] : [forbiddenUpdate("reclaimPolicy")]),
    ];
  return [
    ...validateProvider(c.provisioner, "provisioner"),
    ...validateParameters(c.parameters),
    ...(c.allowedTopologies ?? []).flatMap((t, i) => validateTopology(t, `allowedTopologies[${i}]`)),
    ...repeatedTerms(c.allowedTopologies ?? []),
  ];
}

export const storageClasses = define<StorageClass>({
  group: "storage.k8s.io",
  kind: "StorageClass",
  shortNames: ["sc"],
  scope: "Cluster",
  validate,
  columns: [
    { ...nameColumn, cell: (c) => c.metadata.name + defaultMark(c, "storageclass") },
    { name: "Provisioner", cell: (c) => c.provisioner },
    { name: "ReclaimPolicy", cell: (c) => c.reclaimPolicy ?? "Delete" },
    { name: "VolumeBindingMode", cell: (c) => c.volumeBindingMode ?? "Immediate" },
    { name: "AllowVolumeExpansion", cell: (c) => c.allowVolumeExpansion ?? false },
    ageColumn,
  ],
});
