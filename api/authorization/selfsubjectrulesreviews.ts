// SelfSubjectRulesReview: what may I do in a namespace?
import type { SelfSubjectRulesReview } from "../generated/types.ts";
import { define } from "../kinds.ts";

export const selfSubjectRulesReviews = define<SelfSubjectRulesReview>({
  group: "authorization.k8s.io",
  kind: "SelfSubjectRulesReview",
  scope: "Cluster",
  virtual: "review",
});
