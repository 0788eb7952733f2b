// SelfSubjectAccessReview: may I do something?
import type { SelfSubjectAccessReview } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateNameless, validateQuestion } from "./access-reviews-validate.ts";

export const selfSubjectAccessReviews = define<SelfSubjectAccessReview>({
  group: "authorization.k8s.io",
  kind: "SelfSubjectAccessReview",
  scope: "Cluster",
  virtual: "review",
  validate: ({ metadata, spec }) => [...validateQuestion(spec), ...validateNameless(metadata)],
});
