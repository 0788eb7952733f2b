// TokenReview: authenticates a bearer token and returns its user.
import type { TokenReview } from "../generated/types.ts";
import { define } from "../kinds.ts";

export const tokenReviews = define<TokenReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  plural: "tokenreviews",
  scope: "Cluster",
  virtual: "review",
});
