// String formats by name, as schemas refer to them. Those with the prefix `k8s-` are of Kubernetes' declarative
// validation (KEP-5073).
import {
  validateBlock,
  validateInterfaceAddress,
  validateLenientAddress,
  validateReachable,
} from "./addresses-validate.ts";
import {
  validateDataKey,
  validateDns1035Label,
  validateDomainPath,
  validateDriverName,
  validateLabelName,
  validateLabelValue,
  validateLabels,
  validateMixedCaseLabel,
  validatePathSegment,
  validatePortName,
  validateQualifiedName,
  validateSubdomainName,
  validateUid,
} from "./names.ts";
import type { Problem } from "./errors.ts";
import { validateShare } from "./int-or-percent.ts";
import { projectedPath, relativePath, withoutBacksteps } from "./paths.ts";
import { inRange, invalid, none, tooLong, unfit } from "./problems.ts";
import { validateAmount, validateContainerResourceName } from "./resource-names.ts";
import { validateLabelSelector } from "./selector-validate.ts";

type Format = (value: never, path: string) => readonly Problem[];
type Texts = Readonly<Record<string, string>>;

const maxPort = 65_535;
const maxDataLength = 10 * 1024;

/** A pattern, and the message for text that does not match it. */
const form =
  (pattern: RegExp, detail: string): Format =>
  (text: string, path) =>
    pattern.test(text) ? none : [invalid(path, text, detail)];

const header =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
const variable = "a valid environment variable name must consist only of printable ASCII characters other than '='";
const reason =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";

const version =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

const nonEmpty =
  (format: (text: string, path: string) => readonly Problem[]): Format =>
  (text: string, path) =>
    text === "" ? none : format(text, path);

/** The validation of each format; whether a text may be empty is a fact of its field. */
export const formats: Readonly<Record<string, Format>> = {
  "k8s-short-name": validateLabelName,
  "k8s-long-name": validateSubdomainName,
  "k8s-label-key": validateQualifiedName,
  "k8s-label-value": validateLabelValue,
  "dns-1035-label": validateDns1035Label,
  "mixed-case-label": validateMixedCaseLabel,
  "path-segment": validatePathSegment,
  "domain-path": validateDomainPath,
  "port-name": nonEmpty(validatePortName),
  "data-key": nonEmpty(validateDataKey),
  /** Addresses in any spelling; the second must be reachable from other machines. */
  ip: validateLenientAddress,
  "reachable-ip": validateReachable,
  cidr: validateBlock,
  "interface-address": validateInterfaceAddress,
  labels: validateLabels,
  "label-selector": validateLabelSelector,
  /** A port by number or by name. */
  port: (port: number | string, path: string) =>
    typeof port === "string" ? validatePortName(port, path) : inRange(port, path, 1, maxPort),
  /** A number or a percentage, without or with a limit of 100 %. */
  "count-or-percent": (value: number | string, path: string) => validateShare(value, path),
  "count-or-share": (value: number | string, path: string) => validateShare(value, path, 100),
  "driver-name": validateDriverName,
  /** A path of domain names, such as `node-1.example.com/gpus`. */
  "pool-name": (name: string, path: string) => [
    ...(name.length > 253 ? [tooLong(path, 253)] : []),
    ...name.split("/").flatMap((part) => validateSubdomainName(part || "-", path)),
  ],
  /** Opaque parameters of a driver: an object of limited size. */
  "driver-data": (value: unknown, path: string) => {
    if (JSON.stringify(value).length > maxDataLength) return [tooLong(path, maxDataLength)];
    const isObject = typeof value === "object" && !Array.isArray(value);
    return isObject ? none : [unfit(path, '"<value omitted>": must be a valid JSON object')];
  },
  "semantic-version": form(version, "must be a string compatible with semver.org spec 2.0.0"),
  uid: validateUid,
  "relative-path": relativePath,
  "projected-path": projectedPath,
  "path-without-backsteps": withoutBacksteps,
  "http-header-name": form(/^[-A-Za-z0-9]+$/, header),
  "variable-name": form(/^[\x20-\x3c\x3e-\x7e]*$/, variable),
  "condition-reason": form(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/, reason),
  /** Amounts by the names of resources. */
  amounts: (amounts: Texts, path: string) =>
    Object.entries(amounts).flatMap(([name, text]) => validateAmount(name, text, `${path}[${name}]`)),
  "container-resource": nonEmpty(validateContainerResourceName),
};
