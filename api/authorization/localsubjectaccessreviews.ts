// LocalSubjectAccessReview: may somebody do something in this namespace?
import type { LocalSubjectAccessReview } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { invalid } from "../problems.ts";
import { validateNameless, validateQuestion, validateSubject } from "./access-reviews-validate.ts";

export const localSubjectAccessReviews = define<LocalSubjectAccessReview>({
  group: "authorization.k8s.io",
  kind: "LocalSubjectAccessReview",
  scope: "Namespaced",
  virtual: "review",
  validate: ({ metadata, spec }) => {
    const { namespace, ...rest } = metadata;
    const { resourceAttributes: resource, nonResourceAttributes: other } = spec ?? {};
    const within = resource?.namespace ?? "";
    return [
      ...validateQuestion(spec),
      ...validateSubject(spec),
      ...validateNameless(rest, "must be empty except for namespace"),
      ...(resource && within !== namespace
        ? [invalid("spec.resourceAttributes.namespace", within, "must match metadata.namespace")]
        : []),
      ...(other ? [invalid("spec.nonResourceAttributes", other, "disallowed on this kind of request")] : []),
    ];
  },
});
