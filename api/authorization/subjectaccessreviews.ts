// SubjectAccessReview: may somebody do something?
import type { SubjectAccessReview } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { validateNameless, validateQuestion, validateSubject } from "./access-reviews-validate.ts";

export const subjectAccessReviews = define<SubjectAccessReview>({
  group: "authorization.k8s.io",
  kind: "SubjectAccessReview",
  scope: "Cluster",
  virtual: "review",
  validate: ({ metadata, spec }) => [
    ...validateQuestion(spec),
    ...validateSubject(spec),
    ...validateNameless(metadata),
  ],
});
