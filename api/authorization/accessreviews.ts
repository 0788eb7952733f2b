// Reviews of access: whether the caller or another user may use a resource or a URL path. Source: the API reference of
// authorization.k8s.io; KEP-4601 for selectors.
import type {
  FieldSelectorAttributes,
  FieldSelectorRequirement,
  LabelSelectorRequirement,
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { DraftMeta } from "../meta.ts";
import { validateLabelValue, validateQualifiedName } from "../names.ts";
import { each, invalid, none, required, together } from "../problems.ts";
import { validateOperator } from "../selector-validate.ts";
import type { Rules } from "../validation.ts";

type Spec = Partial<SubjectAccessReview["spec"]>;
type Selector = Pick<FieldSelectorAttributes, "rawSelector"> & { readonly requirements?: readonly unknown[] };

/** Operators that are unknown here can be supported by an authorization webhook. */
const validateValues = (requirement: FieldSelectorRequirement | LabelSelectorRequirement) =>
  ["In", "NotIn", "Exists", "DoesNotExist"].includes(requirement.operator) ? validateOperator(requirement, "") : none;

const validateSelector =
  (field: string) =>
  ({ rawSelector: raw = "", requirements = [] }: Selector) =>
    together(
      raw !== "" &&
        requirements.length > 0 &&
        invalid("rawSelector", raw, "may not specified at the same time as requirements"),
      raw === "" &&
        requirements.length === 0 &&
        required(
          "requirements",
          `when spec.resourceAttributes.${field} is specified, requirements or rawSelector is required`,
        ),
    );

const rules: Rules = {
  FieldSelectorAttributes: validateSelector("fieldSelector"),
  FieldSelectorRequirement: (r: FieldSelectorRequirement) =>
    together(!r.key && required("key", "must be specified"), validateValues(r)),
  LabelSelectorAttributes: validateSelector("labelSelector"),
  LabelSelectorRequirement: (r: LabelSelectorRequirement) =>
    together(validateValues(r), validateQualifiedName(r.key, "key"), each(r.values, "values", validateLabelValue)),
};

const exactlyOne = "exactly one of nonResourceAttributes or resourceAttributes must be specified";

/** The attributes of a request are of a resource or of a path. */
const validateRequest = ({ resourceAttributes: resource, nonResourceAttributes: path }: Spec = {}) =>
  together(
    resource &&
      path &&
      invalid("spec.nonResourceAttributes", path, "cannot be specified in combination with resourceAttributes"),
    !resource && !path && invalid("spec.resourceAttributes", null, exactlyOne),
  );

const validateSubject = ({ user = "", groups = [] }: Spec = {}) =>
  user === "" && groups.length === 0
    ? [invalid("spec.user", user, "at least one of user or group must be specified")]
    : none;

/** A review is never stored: it has no metadata. */
function validateNoMetadata(metadata: DraftMeta, detail = "must be empty") {
  return Object.keys(metadata).every((field) => field === "managedFields")
    ? none
    : [invalid("metadata", metadata, detail)];
}

const review = { group: "authorization.k8s.io", virtual: "review", rules } as const;

export const selfSubjectAccessReviews = define<SelfSubjectAccessReview>({
  ...review,
  kind: "SelfSubjectAccessReview",
  scope: "Cluster",
  validate: ({ metadata, spec }) => together(validateRequest(spec), validateNoMetadata(metadata)),
});

export const selfSubjectRulesReviews = define<SelfSubjectRulesReview>({
  ...review,
  kind: "SelfSubjectRulesReview",
  scope: "Cluster",
});

export const subjectAccessReviews = define<SubjectAccessReview>({
  ...review,
  kind: "SubjectAccessReview",
  scope: "Cluster",
  validate: ({ metadata, spec }) =>
    together(validateRequest(spec), validateSubject(spec), validateNoMetadata(metadata)),
});

export const localSubjectAccessReviews = define<LocalSubjectAccessReview>({
  ...review,
  kind: "LocalSubjectAccessReview",
  scope: "Namespaced",
  validate: ({ metadata: { namespace, ...metadata }, spec }) => {
    const { resourceAttributes: resource, nonResourceAttributes: path } = spec ?? {};
    const within = resource?.namespace ?? "";
    return together(
      validateRequest(spec),
      validateSubject(spec),
      validateNoMetadata(metadata, "must be empty except for namespace"),
      resource &&
        within !== namespace &&
        invalid("spec.resourceAttributes.namespace", within, "must match metadata.namespace"),
      path && invalid("spec.nonResourceAttributes", path, "disallowed on this kind of request"),
    );
  },
});
