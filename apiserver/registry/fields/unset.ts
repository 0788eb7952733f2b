// Fields the server fills in when an object is made, beyond the defaults of its kind: nobody said them, and nobody
// owns them. Facts of the original, which fills them in after it has counted whose the fields are.
import { qualified, type ResourceDefinition } from "../../../api/kinds.ts";
import { type FieldSet, noFields, pathsOf, union } from "./set.ts";

const jobLabels = ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];
const paths: Readonly<Record<string, readonly (readonly string[])[]>> = {
  pods: ["serviceAccountName", "serviceAccount", "priority", "preemptionPolicy", "tolerations"].map((f) => ["spec", f]),
  services: ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"].map((f) => ["spec", f]),
  namespaces: [["spec", "finalizers"]],
  persistentvolumes: [["metadata", "finalizers"]],
  persistentvolumeclaims: [["metadata", "finalizers"]],
  "jobs.batch": [
    ["metadata", "labels"],
    ["spec", "selector"],
    ["spec", "template", "metadata", "labels"],
    ...jobLabels.map((label) => ["spec", "template", "metadata", "labels", label]),
  ],
};

/** The paths of a kind, each with the set of it alone. */
const setsOf = new Map(
  Object.entries(paths).map(([kind, own]) => [
    kind,
    own.map((path) => ({ path, set: pathsOf(path.map((name) => `f:${name}`)) })),
  ]),
);

const says = (object: unknown, path: readonly string[]): boolean => {
  let at = object;
  for (const name of path) {
    if (typeof at !== "object" || at === null) return false;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return at !== undefined;
};

/** What of a new object of this kind the server has filled in, given what was said of it. */
export function unsetFieldsIn(r: ResourceDefinition, said: object): FieldSet {
  const unsaid = (setsOf.get(qualified(r)) ?? []).filter(({ path }) => !says(said, path));
  return unsaid.reduce((all, { set }) => union(all, set), noFields);
}
