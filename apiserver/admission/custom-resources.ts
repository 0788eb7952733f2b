// Admission of custom resources and their definitions: expressions must compile, and there are no new objects of a kind
// that is being removed.
import { customResourceDefinitions } from "../../api/apiextensions/customresourcedefinitions.ts";
import { ApiError } from "../../api/errors.ts";
import type { CustomResourceDefinition } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { qualified } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { ruleProblems } from "../customresources/rules.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { invalid } from "../registry/refusals.ts";

/** Refuses a definition with an expression that does not compile. */
export const customResourceRules: AdmissionPlugin = {
  name: "CustomResourceRules",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r === customResourceDefinitions,
  validate(object, { r, name, old, subresource }) {
    const { spec } = object as CustomResourceDefinition;
    if (
      subresource !== undefined ||
      sameJson(spec.versions, (old as CustomResourceDefinition | undefined)?.spec.versions)
    )
      return;
    const schemas = spec.versions.map(({ schema }) => schema?.openAPIV3Schema);
    const isOne = schemas.every((schema) => sameJson(schema, schemas[0]));
    const problems = (isOne ? schemas.slice(0, 1) : schemas).flatMap((schema, i) => {
      const path = isOne ? "spec.validation.openAPIV3Schema" : `spec.versions[${i}].schema.openAPIV3Schema`;
      return schema ? ruleProblems(schema, path) : [];
    });
    if (problems.length > 0) throw invalid(r, name, problems);
  },
};

const isTerminating = (object: ApiObject): boolean => object.metadata.deletionTimestamp !== undefined;

/** Refuses to create objects whose definition is being deleted, since the deletion would never end. */
export const customResourceStays: AdmissionPlugin = {
  name: "CustomResourceStays",
  operations: ["CREATE"],
  handles: (r) => r.custom === true,
  validate(_, { r, received }) {
    const stored = received.get(prefixOf(customResourceDefinitions) + qualified(r));
    if (stored && isTerminating(objectOf(stored)))
      throw new ApiError("MethodNotAllowed", "create not allowed while custom resource definition is terminating");
  },
};
