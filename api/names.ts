// Validation of names: labels, subdomains, qualified names, ports, data keys and drivers. Source: RFC 1123, RFC 1035
// and the API concepts page, "Object Names and IDs".
import type { Problem } from "./errors.ts";
import { detailOf, invalid, none, required, together, tooLong } from "./problems.ts";

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedPart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const wildcard = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const httpPathForm = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const httpPath = new RegExp(`^${httpPathForm}$`);

const atMost = (max: number): string => `must be no more than ${max} characters`;

export const labelMessage =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
export const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const label1035Message =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const qualifiedMessage =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValueMessage =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const wildcardMessage =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

interface Rule {
  readonly form: RegExp;
  readonly max: number;
  readonly message: string;
}
const validateForm = (value: string | undefined, path: string, rule: Rule): readonly Problem[] => {
  if (value === undefined || value === "") return none;
  if (value.length > rule.max) return [invalid(path, value, atMost(rule.max))];
  return rule.form.test(value) ? none : [invalid(path, value, rule.message)];
};
const labelRule: Rule = { form: label, max: 63, message: labelMessage };
const subdomainRule: Rule = { form: subdomain, max: 253, message: subdomainMessage };

/** An absent or empty name is valid here: the registry may generate it. */
export const validateLabelName = (value: string | undefined, path: string): readonly Problem[] =>
  validateForm(value, path, labelRule);
export const validateSubdomainName = (value: string | undefined, path: string): readonly Problem[] =>
  validateForm(value, path, subdomainRule);
export const validateDns1035Label = (value: string | undefined, path: string): readonly Problem[] =>
  validateForm(value, path, { form: label1035, max: 63, message: label1035Message });

/** A label of RFC 1035 in any case, such as a kind. */
export const validateMixedCaseLabel = (value: string, path: string): readonly Problem[] =>
  validateDns1035Label(value.toLowerCase(), path).map((problem) =>
    invalid(path, value, `may have mixed case, but should otherwise match: ${detailOf(problem)}`),
  );
/** A subdomain of a least number of labels, which `text` spells out. */
export function validateDomain(value: string, path: string, labels: number, text: string): readonly Problem[] {
  const problems = validateSubdomainName(value, path);
  if (value === "" || problems.length > 0 || value.split(".").length >= labels) return problems;
  return [invalid(path, value, `should be a domain with at least ${text}`)];
}

/** `example.com/name` or `name`, as label keys, annotation keys and finalizers are written. */
export function validateQualifiedName(name: string, path: string): readonly Problem[] {
  const parts = name.split("/");
  const bare = parts.at(-1)!;
  if (parts.length > 2)
    return [
      invalid(
        path,
        name,
        `a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      ),
    ];
  if (parts.length === 2 && !subdomain.test(parts[0]!)) return [invalid(path, name, `prefix part ${subdomainMessage}`)];
  if (bare.length > 63) return [invalid(path, name, `name part ${atMost(63)}`)];
  return qualifiedPart.test(bare) ? none : [invalid(path, name, qualifiedMessage)];
}

/** The value of a label: at most 63 characters. */
export function validateLabelValue(value: string, path: string): readonly Problem[] {
  if (value.length > 63) return [invalid(path, value, atMost(63))];
  return labelValue.test(value) ? none : [invalid(path, value, labelValueMessage)];
}

export const validateLabels = (labels: Readonly<Record<string, string>> = {}, path: string): readonly Problem[] =>
  Object.entries(labels).flatMap(([key, value]) =>
    together(validateQualifiedName(key, path), validateLabelValue(value, path)),
  );

/** A name that is one segment of a URL path, such as that of a Role. */
export function validatePathSegment(value: string, path: string): readonly Problem[] {
  if (value === "." || value === "..") return [invalid(path, value, `may not be '${value}'`)];
  return ["/", "%"].flatMap((c) => (value.includes(c) ? [invalid(path, value, `may not contain '${c}'`)] : []));
}

/** `*.example.com` */
export const validateWildcardName = (value: string, path: string): readonly Problem[] =>
  validateForm(value, path, { form: wildcard, max: 253, message: wildcardMessage });

/** A port by name, as RFC 6335 writes it. */
export const validatePortName = (value: string, path: string): readonly Problem[] =>
  usualPort.test(value) ? none : portNameProblems(value, path);
/** Most port names match this, which saves the detailed checks. */
const usualPort = /^[a-z][a-z0-9]{0,14}$/;
const portNameProblems = (value: string, path: string): readonly Problem[] =>
  [
    ...(value.length > 15 ? [atMost(15)] : []),
    ...(/^[-a-z0-9]+$/.test(value) ? [] : ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]),
    ...(/[a-z]/.test(value) ? [] : ["must contain at least one letter (a-z)"]),
    ...(value.includes("--") ? ["must not contain consecutive hyphens"] : []),
    ...(/^-|-$/.test(value) ? ["must not begin or end with a hyphen"] : []),
  ].map((message) => invalid(path, value, message));

const uidForm = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const normalUid = new RegExp(`^${uidForm}$`);
/** Bare, in braces, as a URN, or in capitals: a UUID, but not in normal form. */
const otherUids = new RegExp(`^([0-9a-f]{32}|${uidForm}|urn:uuid:${uidForm}|\\{${uidForm}\\})$`, "i");
const uidMessage =
  "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";

/** A UUID, as RFC 4122 writes it. */
export function validateUid(id: string, path: string): readonly Problem[] {
  if (normalUid.test(id)) return none;
  if (otherUids.test(id)) return [invalid(path, id, uidMessage)];
  const isLong = [32, 36, 38, 45].includes(id.length);
  return [invalid(path, id, `error validating uid: invalid UUID ${isLong ? "format" : `length: ${id.length}`}`)];
}

/** `example.com/controller`: a path prefixed by a domain. */
export function validateDomainPath(value: string, path: string): readonly Problem[] {
  const slash = value.indexOf("/");
  if (slash <= 0 || slash === value.length - 1)
    return [invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const rest = value.slice(slash + 1);
  return [
    ...validateSubdomainName(value.slice(0, slash), path),
    ...(httpPath.test(rest)
      ? []
      : [invalid(path, rest, `Invalid path (regex used for validation is '${httpPathForm}')`)]),
  ];
}

const dataKey = /^[-._a-zA-Z0-9]+$/;
const dataKeyMessage =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/** A key of a ConfigMap or Secret, which may become a file name. */
export function validateDataKey(key: string, path: string): readonly Problem[] {
  const isDots = key === "." || key === "..";
  return together(
    key.length > 253 && invalid(path, key, atMost(253)),
    !dataKey.test(key) && invalid(path, key, dataKeyMessage),
    isDots && invalid(path, key, `must not be '${key}'`),
    !isDots && key.startsWith("..") && invalid(path, key, "must not start with '..'"),
  );
}

const longestDriverName = 63;

/** The name of a storage driver: a subdomain in any case, at most 63 characters. */
export const validateDriverName = (name: string | undefined, path: string): readonly Problem[] =>
  name
    ? together(
        name.length > longestDriverName && tooLong(path, longestDriverName),
        validateSubdomainName(name.toLowerCase(), path).map((p) => invalid(path, name, detailOf(p))),
      )
    : [required(path)];
