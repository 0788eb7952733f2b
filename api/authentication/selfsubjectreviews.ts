// SelfSubjectReview: the user of the request, as the server has authenticated it.
import type { SelfSubjectReview } from "../generated/types.ts";
import { define } from "../kinds.ts";

export const selfSubjectReviews = define<SelfSubjectReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  scope: "Cluster",
  virtual: "review",
});
